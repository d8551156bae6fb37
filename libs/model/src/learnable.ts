import { asyncValues, type EventLog } from '@eddy/log'
import { FeaturesReader, MessageError, OffsetsHash, type Snapshot } from '@eddy/messages'
import type { ModelSpecification } from '@eddy/mixture'

/** What a partition of the features topic holds below the ledger's next offset. */
export interface Learnable {
  /** offset of the oldest record still stored */
  readonly start: number
  readonly events: number
  readonly offsetsHash: bigint
}

/** Counts and hashes, by partition, the feature vectors that a ledger says were learned: what it must equal. Those of
 * other features were passed over. */
export async function learnable(
  log: EventLog,
  topic: string,
  { ledger, specification }: Pick<Snapshot, 'ledger' | 'specification'>,
): Promise<ReadonlyMap<number, Learnable>> {
  const fits = fitsTo((JSON.parse(specification) as ModelSpecification).features.length)
  const starts = new Map((await log.offsets(topic)).map(({ partition, start }) => [partition, start]))
  const counted = new Map(
    ledger.map(({ partition, next }) => [
      partition,
      { start: starts.get(partition) ?? 0, next, events: 0, hash: new OffsetsHash() },
    ]),
  )
  const unread = new Set(
    ledger.filter(({ partition, next }) => (starts.get(partition) ?? 0) < next).map(({ partition }) => partition),
  )
  if (unread.size > 0)
    for await (const delivery of asyncValues(log.consume(topic, { from: 'earliest', untilEnd: true }))) {
      const { partition, records, nextOffset } = delivery
      const count = counted.get(partition)
      for (const { offset, value } of records) {
        if (count === undefined || offset >= count.next) break
        if (!fits(value)) continue
        count.events++
        count.hash.add(partition, offset)
      }
      delivery.ack()
      if (count === undefined || nextOffset >= count.next) unread.delete(partition)
      if (unread.size === 0) break
    }
  return new Map(
    [...counted].map(([partition, { start, events, hash }]) => [partition, { start, events, offsetsHash: hash.value }]),
  )
}

/** Whether a record is a vector of so many features. */
function fitsTo(columns: number): (value: Uint8Array | null) => boolean {
  const reader = new FeaturesReader()
  const row = new Float64Array(columns)
  return value => {
    try {
      reader.decodeFeaturesInto(value ?? new Uint8Array(), row, 0, columns)
      return true
    } catch (error) {
      if (!(error instanceof MessageError)) throw error
      return false
    }
  }
}
