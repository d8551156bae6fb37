import type { EventLog } from './event-log.ts'

/** Records that were to be read next and are stored no more. */
export interface Gap {
  readonly topic: string
  readonly partition: number
  /** offsets from here… */
  readonly from: number
  /** …to before this one */
  readonly to: number
}

/**
 * Where to go on in each partition: where it was to, or where the partition begins by now, if that is later.
 * @param passes Told of each gap. False leaves the partition where it was: reading from there is an error, which names the offsets.
 */
export async function pastGaps(
  log: Pick<EventLog, 'offsets'>,
  topic: string,
  next: ReadonlyMap<number, number>,
  passes: (gap: Gap) => boolean,
): Promise<Map<number, number>> {
  const begins = new Map(next)
  for (const { partition, start } of await log.offsets(topic)) {
    const from = next.get(partition)
    if (from !== undefined && from < start && passes({ topic, partition, from, to: start }))
      begins.set(partition, start)
  }
  return begins
}
