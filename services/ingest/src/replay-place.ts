import { createHash } from 'node:crypto'
import type { EventLog, OutgoingRecord } from '@eddy/log'
import type { EventLine } from '@eddy/records'

/** How far a file has been appended. */
export interface ReplayPlace {
  /** group whose position counts the file's events that were appended */
  readonly group: string
  /** its first events, that many, are there already */
  readonly done: number
}

/** Hash of a file's first events, as far as they were added. */
export class PrefixHash {
  readonly #hash = createHash('sha256')
  #events = 0

  /** events added */
  get events(): number {
    return this.#events
  }

  add(source: EventLine['source']): void {
    this.#hash.update(source).update('\n')
    this.#events++
  }

  /** of the events added so far */
  get value(): string {
    return this.#hash.copy().digest('hex').slice(0, 32)
  }
}

const positionOf = async (log: EventLog, topic: string, group: string): Promise<number | undefined> =>
  (await log.positions(topic, group)).get(0)

/** Its position is the number of the file's events of which that is the hash. */
const prefixGroup = (group: string, { value }: PrefixHash): string => `${group}.${value}`

/**
 * How much of a file was appended before. A file is known by what its events say, whatever its name: by the hash of the events up to where an
 * earlier run ended, so that it is still the same file when it has grown. Files that begin with the same event are counted in groups
 * that are numbered from 0; before a count is moved, the hash of all that it will count becomes durable (`publishUpTo`).
 * @param events reads the file from its start
 */
export async function placeIn(
  log: EventLog,
  topic: string,
  events: () => AsyncIterable<readonly EventLine[]>,
): Promise<ReplayPlace> {
  const prefix = new PrefixHash()
  let family = ''
  let counts: readonly number[] = []
  let place: ReplayPlace | undefined
  const look = async (isCandidate: (count: number) => boolean): Promise<void> => {
    for (const [number, count] of counts.entries()) {
      const group = `${family}.${number}`
      if (isCandidate(count) && (await positionOf(log, topic, prefixGroup(group, prefix))) === prefix.events)
        place = { group, done: prefix.events }
    }
  }
  for await (const lines of events()) {
    for (const { source } of lines) {
      prefix.add(source)
      if (prefix.events === 1) {
        family = `replay.${prefix.value}`
        counts = await countsOf(log, topic, family)
      }
      if (counts.includes(prefix.events)) await look(count => count === prefix.events)
    }
    if (counts.every(count => count <= prefix.events)) break
  }
  // A file that ends before what was appended may be the beginning of it.
  await look(count => count > prefix.events)
  return place ?? { group: `${family}.${counts.length}`, done: 0 }
}

/** Counts of the files that begin with one event, in the order of their numbers. */
async function countsOf(log: EventLog, topic: string, family: string): Promise<number[]> {
  const counts: number[] = []
  for (;;) {
    const count = await positionOf(log, topic, `${family}.${counts.length}`)
    if (count === undefined) return counts
    counts.push(count)
  }
}

/**
 * Appends events and moves the count of their file, in one step.
 * @param prefix of all events of the file up to the last one of `records`
 */
export async function publishUpTo(
  log: EventLog,
  topic: string,
  { group }: ReplayPlace,
  prefix: PrefixHash,
  records: readonly OutgoingRecord[],
): Promise<void> {
  const deliveries = [{ topic, partition: 0, nextOffset: prefix.events }]
  const known = log.publish([], { settles: { group: prefixGroup(group, prefix), deliveries } })
  // Elsewhere what is published next follows what came before anyway.
  if (!log.capabilities.pipelined) await known
  await Promise.all([known, log.publish([{ topic, records }], { settles: { group, deliveries } })])
}
