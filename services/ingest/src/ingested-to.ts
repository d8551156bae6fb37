import type { OutgoingRecord, StoredRecord } from '@eddy/log'

/** Header of the first feature vector of a delivery: the offset of the events topic to go on from after that delivery. */
const NAME = 'eddy.ingested-to'

/** What the first feature vector of a delivery carries, beside its own headers: all that the delivery leads to becomes durable with it. */
export const ingestedToHeader = (nextOffset: number): NonNullable<OutgoingRecord['headers']> => ({
  [NAME]: Buffer.from(`${nextOffset}`),
})

/** How far events have been ingested, as a feature vector tells it; undefined for those that do not. */
export function ingestedTo({ headers }: Pick<StoredRecord, 'headers'>): number | undefined {
  const said = headers[NAME]
  const offset = said === undefined ? Number.NaN : Number(Buffer.from(said))
  return Number.isSafeInteger(offset) ? offset : undefined
}
