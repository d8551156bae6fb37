import { asyncValues, type EventLog, LogError, type StoredRecord } from '@eddy/log'
import { deadLetterFrom } from '@eddy/messages'
import { type Configuration, groupName } from '@eddy/settings'

/** What became of the events of a partition: a vector or a dead letter each. */
export interface Ingested {
  readonly partition: number
  readonly events: number
  readonly vectors: number
  readonly deadLetters: number
}

/**
 * Counts, by partition, the events that ingest has read, and what it made of them. Partitions of which retention has dropped something,
 * or of which this ingest has no position, cannot be counted and are left out, and all are
 * while ingest is at work.
 */
export async function ingestedOnce(
  log: EventLog,
  configuration: Pick<Configuration, 'model' | 'topics'>,
): Promise<readonly Ingested[]> {
  const { topics } = configuration
  try {
    const moment = await still(log, configuration)
    if (moment === undefined) return []
    const { read, made, letters } = moment
    const starts = await Promise.all([topics.events, topics.features].map(topic => log.offsets(topic)))
    const whole = [...read.keys()].filter(partition => starts.every(all => all[partition]?.start === 0))
    const events = await count(log, topics.events, read)
    const vectors = await count(log, topics.features, made)
    const ofEvents = (record: StoredRecord): boolean => deadLetterFrom(record).topic === topics.events
    const deadLetters = await count(log, topics.deadLetters, letters, ofEvents)
    const of = (counted: ReadonlyMap<number, number>, partition: number): number => counted.get(partition) ?? 0
    return whole.map(partition => ({
      partition,
      events: of(events, partition),
      vectors: of(vectors, partition),
      deadLetters: of(deadLetters, partition),
    }))
  } catch (error) {
    if (error instanceof LogError && error.code === 'TOPIC_MISSING') return []
    throw error
  }
}

/** How often a moment is looked for at which ingest stands still. */
const LOOKS = 100

/** How far ingest was and where its output ended, at one moment; undefined while ingest does not stand still for one. */
async function still(log: EventLog, configuration: Pick<Configuration, 'model' | 'topics'>) {
  const { topics } = configuration
  const position = () => log.positions(topics.events, groupName(configuration, 'ingest'))
  const ends = async (topic: string) =>
    new Map((await log.offsets(topic)).map(({ partition, end }) => [partition, end]))
  let read = await position()
  for (let look = 0; look < LOOKS; look++) {
    const [made, letters] = [await ends(topics.features), await ends(topics.deadLetters)]
    const after = await position()
    if ([...after].every(([partition, at]) => read.get(partition) === at)) return { read, made, letters }
    read = after
  }
  return undefined
}

/** Counts a topic's records below these offsets. */
async function count(
  log: EventLog,
  topic: string,
  below: ReadonlyMap<number, number>,
  counts: (record: StoredRecord) => boolean = () => true,
): Promise<ReadonlyMap<number, number>> {
  const counted = new Map<number, number>()
  for await (const delivery of asyncValues(log.consume(topic, { from: 'earliest', untilEnd: true }))) {
    const { partition, records } = delivery
    for (const record of records)
      if (record.offset < (below.get(partition) ?? 0) && counts(record))
        counted.set(partition, (counted.get(partition) ?? 0) + 1)
    delivery.ack()
  }
  return counted
}
