import type { EventLog, StoredRecord } from '@eddy/log'
import type { Block } from '@eddy/mixture'
import { CHUNK, eventsOf, type LearnedEvents, type Rows } from './learned-events.ts'

/**
 * Reads an event into `values` from `at` on.
 * @returns its weight; undefined where it cannot be used
 */
export type ReadEvent = (record: StoredRecord, values: Float64Array, at: number) => number | undefined

/** Events as they came, read again from the events topic: for a model of other features than those the stored vectors have. */
export const storedEvents = (
  log: Pick<EventLog, 'consume' | 'offsets'>,
  topic: string,
  columns: number,
  read: ReadEvent,
): LearnedEvents => eventsOf(log, topic, () => readRows(columns, read))

function readRows(columns: number, read: ReadEvent): Rows {
  const values = new Float64Array(CHUNK * columns)
  const weights = new Float64Array(CHUNK)
  let rows = 0
  return {
    get full() {
      return rows === CHUNK
    },
    take({ records }, at) {
      let i = at
      for (; i < records.length && rows < CHUNK; i++) {
        const weight = read(records[i]!, values, rows * columns)
        if (weight !== undefined) weights[rows++] = weight
      }
      return i
    },
    contents: () => ({
      block: { rows, columns, values: values.subarray(0, rows * columns) } satisfies Block,
      weights: weights.subarray(0, rows),
    }),
    next() {
      rows = 0
    },
  }
}
