import { type Configuration, codecsOf, registryOf, subjectOf } from '@eddy/settings'
import { failure, ok, type Verdict } from './verdict.ts'

/** Whether the schema registry answers, and what it says of the built-in schemas. Writes nothing. */
export async function registryVerdict(configuration: Configuration): Promise<Verdict> {
  const registry = registryOf(configuration)
  if (registry === undefined) return ok('not used (built-in ids)')
  const { url, register } = configuration.registry
  const missing: string[] = []
  const incompatible: string[] = []
  try {
    for (const [topic, { schema }] of codecsOf(configuration.topics)) {
      const subject = subjectOf(topic)
      if ((await registry.lookup(subject, schema)) !== undefined) continue
      missing.push(subject)
      if ((await registry.incompatibilities(subject, schema)).length > 0) incompatible.push(subject)
    }
  } catch (error) {
    return failure(
      (error as Error).message,
      'Check registry.url (the Confluent API), registry.username and registry.password, and that it runs.',
    )
  }
  if (incompatible.length > 0)
    return failure(
      `${url}: incompatible with ${incompatible.join(', ')}`,
      '`eddy schema check` says why. Use other topic names, or mend the versions of these subjects.',
    )
  if (missing.length === 0) return ok(`${url}: every schema is registered`)
  return register
    ? ok(`${url}: ${missing.length} schemas will be registered at the first start`)
    : failure(
        `${url}: not registered: ${missing.join(', ')}`,
        'Set registry.register: true for a user who may write there, or post schemas/ yourself.',
      )
}
