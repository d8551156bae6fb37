import { asyncValues, type EventLog } from '@eddy/log'
import {
  type FeatureSchema,
  FeaturesReader,
  featureSchema,
  MessageError,
  OffsetsHash,
  type Snapshot,
} from '@eddy/messages'
import type { ModelSpecification } from '@eddy/mixture'

/** What a partition of the features topic holds below the ledger's next offset. */
export interface Learnable {
  /** offset of the oldest record still stored */
  readonly start: number
  readonly events: number
  readonly offsetsHash: bigint
  /** offsets whose records were erased, where the log can erase: its offsets have no other gaps */
  readonly erased: { readonly events: number; readonly offsetsHash: bigint }
}

/** Counts and hashes, by partition, the feature vectors that a ledger says were learned: what it must equal. Those of
 * other features were passed over. */
export async function learnable(
  log: EventLog,
  topic: string,
  { ledger, specification }: Pick<Snapshot, 'ledger' | 'specification'>,
): Promise<ReadonlyMap<number, Learnable>> {
  const fits = fitsTo(featureSchema((JSON.parse(specification) as ModelSpecification).features))
  const starts = new Map((await log.offsets(topic)).map(({ partition, start }) => [partition, start]))
  const counted = new Map(
    ledger.map(({ partition, next }) => [partition, new Count(partition, starts.get(partition) ?? 0, next)]),
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
        count.passTo(offset)
        count.at = offset + 1
        if (fits(value)) count.present.add(offset)
      }
      count?.passTo(nextOffset)
      delivery.ack()
      if (count === undefined || nextOffset >= count.next) unread.delete(partition)
      if (unread.size === 0) break
    }
  const none = { events: 0, offsetsHash: 0n }
  return new Map(
    [...counted].map(([partition, { start, present, missing }]) => [
      partition,
      { start, ...present.total, erased: log.capabilities.erasure === undefined ? none : missing.total },
    ]),
  )
}

/** Offsets of a partition, counted and hashed. */
class Offsets {
  readonly #partition: number
  readonly #hash = new OffsetsHash()
  #events = 0

  constructor(partition: number) {
    this.#partition = partition
  }

  add(offset: number): void {
    this.#events++
    this.#hash.add(this.#partition, offset)
  }

  get total(): { readonly events: number; readonly offsetsHash: bigint } {
    return { events: this.#events, offsetsHash: this.#hash.value }
  }
}

/** The offsets of a partition from `start` to `next`. */
class Count {
  readonly start: number
  readonly next: number
  readonly present: Offsets
  readonly missing: Offsets
  /** the offset that comes next if there is no gap */
  at: number

  constructor(partition: number, start: number, next: number) {
    this.start = start
    this.next = next
    this.at = start
    this.present = new Offsets(partition)
    this.missing = new Offsets(partition)
  }

  /** There are no records up to this offset. */
  passTo(offset: number): void {
    for (const end = Math.min(offset, this.next); this.at < end; this.at++) this.missing.add(this.at)
  }
}

/** Whether a record is a vector of these features. */
function fitsTo(schema: FeatureSchema): (value: Uint8Array | null) => boolean {
  const reader = new FeaturesReader()
  const row = new Float64Array(schema.columns)
  return value => {
    try {
      reader.decodeFeaturesInto(value ?? new Uint8Array(), row, 0, schema)
      return true
    } catch (error) {
      if (!(error instanceof MessageError)) throw error
      return false
    }
  }
}
