import { lastValueFrom, tap } from 'rxjs'
import type { EventLog, From, StoredRecord } from './event-log.ts'
import { type Gap, pastGaps } from './past-gaps.ts'

/** Offsets of output that are looked through first; four times as many where that is not enough. */
const FIRST_LOOK = 4096

export interface OutputOptions {
  readonly log: EventLog
  /** what the group reads */
  readonly topic: string
  readonly group: string
  /** A group that did this work before: where this one has no position, its position counts. */
  readonly formerGroup?: string
  /** where the group writes what comes of a partition: into the partition of the same number */
  readonly output: string
  /** What a record of the output tells: the offset of `topic` to go on from after it; undefined where it tells none. */
  readonly nextOffset: (record: StoredRecord, partition: number) => number | undefined
  /** Whether to go on past records that are gone; see `pastGaps`. Default: no. */
  readonly passes?: (gap: Gap) => boolean
}

/**
 * Where a group begins, for `ConsumeOptions.from`: at its position; where it has none, after what its output shows as done; at the
 * beginning only where neither is there. A group's position may go while its output stays (Kafka forgets the positions of a group
 * without members after `offsets.retention.minutes`; somebody resets or deletes the group): to begin again would do everything twice.
 */
export function positionFromOutput(options: OutputOptions): (partitions: readonly number[]) => Promise<From> {
  const { log, topic, group, formerGroup, output, nextOffset, passes = () => false } = options
  return async partitions => {
    const positions = await log.positions(topic, group)
    const without = partitions.filter(partition => !positions.has(partition))
    const held = new Map([...positions].filter(([partition]) => partitions.includes(partition)))
    const moved = [...(await pastGaps(log, topic, held, passes))].filter(
      ([partition, at]) => at !== held.get(partition),
    )
    if (without.length === 0) return moved.length === 0 ? 'position' : new Map(moved)
    const told = await newestTold(log, output, without, nextOffset)
    const former = formerGroup === undefined ? told : await log.positions(topic, formerGroup)
    const furthest = (partition: number): number => Math.max(told.get(partition) ?? -1, former.get(partition) ?? -1)
    const found = without.map(partition => [partition, furthest(partition)] as const).filter(([, at]) => at >= 0)
    return new Map([...moved, ...(await pastGaps(log, topic, new Map(found), passes))])
  }
}

/** What the newest record that tells something tells, by partition. A look at the end is made longer until it is found. */
async function newestTold(
  log: EventLog,
  output: string,
  partitions: readonly number[],
  nextOffset: OutputOptions['nextOffset'],
): Promise<ReadonlyMap<number, number>> {
  const told = new Map<number, number>()
  const ends = await log.offsets(output)
  const holds = (partition: number): boolean => ends.some(at => at.partition === partition && at.end > at.start)
  let sought = partitions.filter(holds)
  for (let length = FIRST_LOOK; sought.length > 0; length *= 4) {
    const from = new Map(
      ends.map(({ partition, start, end }) => [
        partition,
        sought.includes(partition) ? Math.max(start, end - length) : end,
      ]),
    )
    const deliveries = log.consume(output, { from, untilEnd: true }).pipe(
      tap(delivery => {
        for (const record of delivery.records) {
          const next = nextOffset(record, delivery.partition)
          if (next !== undefined) told.set(delivery.partition, next)
        }
        delivery.ack()
      }),
    )
    await lastValueFrom(deliveries, { defaultValue: undefined })
    sought = sought.filter(partition => !told.has(partition) && (from.get(partition) ?? 0) > ends[partition]!.start)
  }
  return told
}
