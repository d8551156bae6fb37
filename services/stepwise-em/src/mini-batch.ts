import { type Delivery, type StoredRecord, ValueSpan } from '@eddy/log'
import { type FeatureSchema, FeaturesReader, MessageError, OffsetsHash } from '@eddy/messages'
import type { Block } from '@eddy/mixture'

/**
 * The next mini-batch of one partition: feature vectors in offset order, up to a fixed number, in memory that is
 * reused. Covers the offsets [from, to).
 */
export class MiniBatch {
  readonly partition: number
  readonly capacity: number
  readonly schema: FeatureSchema
  readonly #reader = new FeaturesReader()
  readonly #span = new ValueSpan()
  readonly #values: Float64Array
  readonly #weights: Float64Array
  readonly #offsets: Float64Array
  #rows = 0
  #unfit = 0
  #from: number
  #to: number

  constructor(partition: number, from: number, capacity: number, schema: FeatureSchema) {
    const { columns } = schema
    this.partition = partition
    this.capacity = capacity
    this.schema = schema
    // In shared memory, where the E-step's threads can read them.
    this.#values = new Float64Array(new SharedArrayBuffer(8 * capacity * columns))
    this.#weights = new Float64Array(new SharedArrayBuffer(8 * capacity))
    this.#offsets = new Float64Array(capacity)
    this.#from = from
    this.#to = from
  }

  get rows(): number {
    return this.#rows
  }

  /** records since the last `next` that are no feature vectors of this model: they are passed over */
  get unfit(): number {
    return this.#unfit
  }

  get full(): boolean {
    return this.#rows === this.capacity
  }

  get from(): number {
    return this.#from
  }

  get to(): number {
    return this.#to
  }

  /** Copies records from index `at` on until full; returns the index of the first one not taken. */
  take(delivery: Delivery, at: number): number {
    const { records } = delivery
    let i = at
    for (; i < records.length && !this.full; i++) {
      const record = records[i] as StoredRecord
      if (record.offset < this.#to) continue
      this.#append(record)
    }
    if (i === records.length) this.#to = Math.max(this.#to, delivery.nextOffset)
    return i
  }

  #append(record: StoredRecord): void {
    const { schema } = this
    const { columns } = schema
    const span = this.#span
    span.moveTo(record)
    try {
      this.#reader.decodeFeaturesInto(span.bytes, this.#values, this.#rows * columns, schema, span.start, span.end)
    } catch (error) {
      if (!(error instanceof MessageError)) throw error
      // Of other features than the model's: scoring makes it a dead letter, and nothing is learned of it.
      this.#unfit++
      this.#to = record.offset + 1
      return
    }
    this.#weights[this.#rows] = this.#reader.weight
    this.#offsets[this.#rows] = record.offset
    this.#rows++
    this.#to = record.offset + 1
  }

  /** Drops what lies before `offset`: another worker's range was learned instead. */
  dropBefore(offset: number): void {
    let keepFrom = 0
    while (keepFrom < this.#rows && this.#offsets[keepFrom]! < offset) keepFrom++
    const { columns } = this.schema
    this.#values.copyWithin(0, keepFrom * columns, this.#rows * columns)
    this.#weights.copyWithin(0, keepFrom, this.#rows)
    this.#offsets.copyWithin(0, keepFrom, this.#rows)
    this.#rows -= keepFrom
    if (this.#to <= offset) this.#unfit = 0
    this.#from = offset
    this.#to = Math.max(this.#to, offset)
  }

  /** Views of the rows, valid until the next `take`. */
  contents(): { block: Block; weights: Float64Array } {
    const { columns } = this.schema
    return {
      block: { rows: this.#rows, columns, values: this.#values.subarray(0, this.#rows * columns) },
      weights: this.#weights.subarray(0, this.#rows),
    }
  }

  /** Sum of the hashes of the offsets held. */
  offsetsHash(): bigint {
    const hash = new OffsetsHash()
    for (let i = 0; i < this.#rows; i++) hash.add(this.partition, this.#offsets[i]!)
    return hash.value
  }

  /** Empty again, beginning where it ended. */
  next(): void {
    this.#rows = 0
    this.#unfit = 0
    this.#from = this.#to
  }
}
