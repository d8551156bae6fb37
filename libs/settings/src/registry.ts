import { type Delivery, type EventLog, logWith } from '@eddy/log'
import {
  type Codec,
  deadLetterCodec,
  featureVectorCodec,
  labelCodec,
  lineageCodec,
  RegistryError,
  SchemaRegistry,
  schemaIdOf,
  snapshotCodec,
  statisticsCodec,
} from '@eddy/messages'
import { concatMap, from, of } from 'rxjs'
import type { Configuration } from './configuration.ts'

type Topics = Configuration['topics']
type SchemaCodec = Pick<Codec<never>, 'id' | 'schema' | 'use' | 'knows' | 'learn'>

/** What is written to each topic of ours. */
export const codecsOf = (topics: Topics): ReadonlyMap<string, SchemaCodec> =>
  new Map<string, SchemaCodec>([
    [topics.features, featureVectorCodec],
    [topics.statistics, statisticsCodec],
    [topics.snapshots, snapshotCodec],
    [topics.labels, labelCodec],
    [topics.lineage, lineageCodec],
    [topics.deadLetters, deadLetterCodec],
  ])

/** The configured registry; undefined where there is none. */
export function registryOf({ registry }: Pick<Configuration, 'registry'>): SchemaRegistry | undefined {
  const { url, username, password, timeoutMs } = registry
  return url === undefined ? undefined : new SchemaRegistry({ url, username, password, timeoutMs })
}

export const subjectOf = (topic: string): string => `${topic}-value`

/**
 * Makes every codec write under the registry's id for its schema.
 * @param mode `register` the missing ones; `check` that they are there; `read`: a missing one is not an error, as nothing is written
 * @throws RegistryError for an incompatible or, unless `read`, a missing schema
 */
export async function useRegistryIds(
  registry: SchemaRegistry,
  topics: Topics,
  mode: 'register' | 'check' | 'read',
): Promise<void> {
  for (const [topic, codec] of codecsOf(topics)) {
    const subject = subjectOf(topic)
    const registered = mode === 'register' ? await registry.register(subject, codec.schema) : undefined
    const id = registered ?? (await registry.lookup(subject, codec.schema))
    if (id !== undefined) {
      // The registry's meaning of an id goes before the built-in one, where the topic can have such messages.
      const builtIn = codec.id
      const other = builtIn === id ? undefined : await registry.schema(builtIn)
      codec.use(id)
      if (other !== undefined) codec.learn(builtIn, other)
    } else if (mode !== 'read') {
      throw new RegistryError(
        `${subject}: expected the built-in schema in the registry, got none. Register it (registry.register: true with a user who may write), or post schemas/ yourself.`,
      )
    }
  }
}

/**
 * A log whose deliveries come only when the codec of their topic knows the schema ids in them: unknown ones are asked for
 * first, once each and so many at a time. An id that the registry does not know either stays unknown, and the message is refused by
 * the codec.
 * A registry that cannot be reached errors the stream: nothing is refused for that.
 */
export function withRegistry(log: EventLog, registry: SchemaRegistry, topics: Topics): EventLog {
  const codecs = new Map([...codecsOf(topics), [topics.events, featureVectorCodec as SchemaCodec]])
  return logWith(log, {
    consume(topic, options) {
      const codec = codecs.get(topic)
      const deliveries = log.consume(topic, options)
      if (codec === undefined) return deliveries
      return deliveries.pipe(
        concatMap(delivery => {
          const unknown = unknownIds(delivery, codec)
          return unknown === undefined ? of(delivery) : from(learned(delivery, unknown, codec, registry))
        }),
      )
    },
  })
}

/** Most ids that are asked for on behalf of one delivery: who sends ids nobody knows must not make us ask for each. */
const maxLookups = 16

/** Ids in a delivery that the codec does not know, and how often each occurs. */
function unknownIds({ records }: Delivery, codec: SchemaCodec): ReadonlyMap<number, number> | undefined {
  let unknown: Map<number, number> | undefined
  let known: number | undefined
  for (const { value } of records) {
    const id = schemaIdOf(value)
    if (id === undefined || id === known) continue
    if (codec.knows(id)) known = id
    else {
      unknown ??= new Map()
      unknown.set(id, (unknown.get(id) ?? 0) + 1)
    }
  }
  return unknown
}

/** Learns the schemas of unknown ids, the most frequent first; what is beyond the limit stays unknown. */
async function learned(
  delivery: Delivery,
  unknown: ReadonlyMap<number, number>,
  codec: SchemaCodec,
  registry: SchemaRegistry,
): Promise<Delivery> {
  const byCount = [...unknown].sort(([, a], [, b]) => b - a).map(([id]) => id)
  let lookups = 0
  for (const id of byCount) {
    if (!registry.remembers(id) && ++lookups > maxLookups) continue
    const schema = await registry.schema(id)
    if (schema !== undefined) codec.learn(id, schema)
  }
  return delivery
}
