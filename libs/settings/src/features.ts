import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readEvents } from '@eddy/records'
import { ConfigurationError } from '@eddy/runtime'
import type { Configuration, Feature } from './configuration.ts'

const keptName = 'features.json'

/**
 * The features that are learned: those of the configuration; else those an earlier run kept in the data directory; else
 * every number in the first events of the replayed file, which are then kept.
 * @throws {ConfigurationError} when there is nothing to take them from
 */
export async function featuresOf(
  { features, log }: Configuration,
  replayed: string | undefined,
): Promise<readonly Feature[]> {
  if (features !== undefined && features.length > 0) return features
  const kept = keptFeatures(log.directory)
  if (kept !== undefined) return kept
  if (replayed === undefined || replayed === '-') {
    throw new ConfigurationError([
      'features: expected a list of features (name, type, transform), got none. Name a configuration with --config, or a file to take them from with --replay.',
    ])
  }
  const found = await numbersIn(replayed)
  if (found.length === 0) {
    throw new ConfigurationError([
      `features: expected numbers beside \`customer\` in ${replayed}, got none. Declare the features in a configuration (--config).`,
    ])
  }
  mkdirSync(log.directory, { recursive: true })
  writeFileSync(join(log.directory, keptName), `${JSON.stringify(found, undefined, 2)}\n`)
  return found
}

/** Names of the features of the configuration, or else those kept in the data directory; none where there are neither. */
export function knownFeatures({ features, log }: Configuration): readonly string[] {
  return (features ?? keptFeatures(log.directory) ?? []).map(({ name }) => name)
}

function keptFeatures(directory: string): readonly Feature[] | undefined {
  const kept = join(directory, keptName)
  return existsSync(kept) ? (JSON.parse(readFileSync(kept, 'utf8')) as Feature[]) : undefined
}

async function numbersIn(path: string): Promise<Feature[]> {
  const numeric = new Map<string, boolean>()
  for await (const batch of readEvents(path)) {
    for (const { event } of batch) {
      for (const [name, value] of Object.entries(event.features)) {
        numeric.set(name, (numeric.get(name) ?? true) && typeof value === 'number')
      }
    }
    break
  }
  return [...numeric]
    .filter(([, isNumber]) => isNumber)
    .map(([name]) => ({ name, type: 'number', transform: 'none', required: false }))
}
