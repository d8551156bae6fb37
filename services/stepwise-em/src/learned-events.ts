import type { Delivery, EventLog } from '@eddy/log'
import type { FeatureSchema } from '@eddy/messages'
import type { Block, ModelSpecification } from '@eddy/mixture'
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

/** The most events that new components are given the statistics of. */
const HISTORY = 2 ** 20

/** How many of the newest events count when components are learned anew: with a half-life, those of two. */
export const historyOf = ({ stepSize: { halfLife = Number.POSITIVE_INFINITY } }: ModelSpecification): number =>
  Math.min(HISTORY, Math.ceil(2 * halfLife))

/** Events that are visited at once. */
export const CHUNK = 4096

/** Rows that fill up from deliveries, such as a `MiniBatch`. */
export interface Rows {
  readonly full: boolean
  /** Copies records from index `at` on until full; returns the index of the first one not taken. */
  take(delivery: Delivery, at: number): number
  /** Views of the rows, valid until the next `take`. */
  contents(): { readonly block: Block; readonly weights: Float64Array }
  /** Empty again. */
  next(): void
}

/** @param schema of the events that are visited: others were not learned */
export const learnedEvents = (
  log: Pick<EventLog, 'consume' | 'offsets'>,
  topic: string,
  schema: FeatureSchema,
): LearnedEvents => eventsOf(log, topic, (partition, from) => new MiniBatch(partition, from, CHUNK, schema))

/** @param rowsOf where the events of a partition are read to, some thousand at a time */
export function eventsOf(
  log: Pick<EventLog, 'consume' | 'offsets'>,
  topic: string,
  rowsOf: (partition: number, from: number) => Rows,
): LearnedEvents {
  const visitRange = async ({ partition, from, to }: EventRange, visit: VisitEvents): Promise<void> => {
    if (from >= to) return
    // Of the other partitions nothing is wanted.
    const begins = (await log.offsets(topic)).map(({ partition: p, end }) => [p, p === partition ? from : end] as const)
    const batch = rowsOf(partition, from)
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
