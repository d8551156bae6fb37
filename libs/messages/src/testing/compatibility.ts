import type { PublishedSchema } from '../schemas.ts'

/**
 * What breaks FULL_TRANSITIVE among the versions of one subject: each version must read every other one.
 * @returns one line a broken pair; empty when all are compatible
 */
export function incompatibilities(versions: readonly PublishedSchema[]): string[] {
  const broken: string[] = []
  for (const reader of versions) {
    for (const writer of versions) {
      try {
        reader.type.createResolver(writer.type)
      } catch (error) {
        broken.push(
          `${reader.subject}: version ${reader.version} cannot read version ${writer.version}: ${(error as Error).message}`,
        )
      }
    }
  }
  return broken
}
