import type { EventLog } from '@eddy/log'
import type { FeatureSchema } from '@eddy/messages'
import type { Block } from '@eddy/mixture'
import type { Ledger } from '@eddy/model'
import { concatMap, lastValueFrom, takeWhile } from 'rxjs'
import { MiniBatch } from './mini-batch.ts'

/** Offsets [from, to) of a partition of the features topic. */
export interface EventRange {
  readonly partition: number
  readonly from: number
  readonly to: number
}

/** Views of events, valid until the visit is over. */
export type VisitEvents = (block: Block, weights: Float64Array) => void

/** Events that have been learned, read again from the features topic: no event is kept in a snapshot. */
export interface LearnedEvents {
  /** What is still stored of the newest events that a ledger holds: at most `most`, as many of each partition. */
  newest(ledger: Ledger, most: number): Promise<readonly EventRange[]>
  /** Visits the events of ranges in their order, some thousand at a time, always cut alike. */
  visit(ranges: readonly EventRange[], visit: VisitEvents): Promise<void>
}

/** Events that are visited at once. */
const CHUNK = 4096

/** @param schema of the events that are visited: others were not learned */
export function learnedEvents(
  log: Pick<EventLog, 'consume' | 'offsets'>,
  topic: string,
  schema: FeatureSchema,
): LearnedEvents {
  const visitRange = async ({ partition, from, to }: EventRange, visit: VisitEvents): Promise<void> => {
    if (from >= to) return
    // Of the other partitions nothing is wanted.
    const begins = (await log.offsets(topic)).map(({ partition: p, end }) => [p, p === partition ? from : end] as const)
    const batch = new MiniBatch(partition, from, CHUNK, schema)
    const flush = (): void => {
      const { block, weights } = batch.contents()
      if (block.rows > 0) visit(block, weights)
      batch.next()
    }
    const deliveries = log.consume(topic, { from: new Map(begins), ahead: true }).pipe(
      concatMap(delivery => {
        if (delivery.partition !== partition) return []
        const wanted = delivery.records.filter(({ offset }) => offset < to)
        for (let at = 0; ; ) {
          at = batch.take({ ...delivery, records: wanted }, at)
          if (batch.full) flush()
          if (at >= wanted.length) break
        }
        const { nextOffset } = delivery
        delivery.ack()
        return [nextOffset]
      }),
      takeWhile(nextOffset => nextOffset < to),
    )
    await lastValueFrom(deliveries, { defaultValue: undefined })
    flush()
  }
  return {
    async newest(ledger, most) {
      const share = Math.ceil(most / Math.max(1, ledger.size))
      const starts = new Map((await log.offsets(topic)).map(({ partition, start }) => [partition, start]))
      return [...ledger.values()].map(({ partition, next }) => ({
        partition,
        from: Math.max(starts.get(partition) ?? 0, next - share),
        to: next,
      }))
    },
    async visit(ranges, visit) {
      for (const range of ranges) await visitRange(range, visit)
    },
  }
}
