import { LogError, type OutgoingRecord, type Publication, type StoredRecord } from './event-log.ts'
import {
  aligned,
  bodyStart,
  CHUNK,
  copy,
  headersSize,
  moveBody,
  PackedRecord,
  PackedRecords,
  writeEntry,
  writeFrame,
  writeHeaders,
} from './packed-records.ts'

/**
 * Records of one partition written side by side where they are to stay, for stages that make many: a log that stores them so takes the
 * bytes as they are, and nothing is made a record, nor copied. First `clear`, then for each record: `open`, its value written at `bytes[at…]`
 * after `reserve`, `close`. What is opened and not closed is dropped. What `finish` has given is never written to again.
 */
export class RecordPacker {
  /** a chunk that batches share: a value is written from `at` on after `reserve` */
  bytes: Buffer<ArrayBuffer> = Buffer.allocUnsafeSlow(CHUNK)
  view = new DataView(this.bytes.buffer)
  at = 0
  /** where the batch begins in the chunk; before it lie finished ones */
  #start = 0
  /** the batch, from `#start` on */
  #batch = this.view
  #most = 0
  #count = 0
  /** where the next record begins */
  #end = 0
  #keyEnd = 0
  #timestamp = 0
  #newest = -Infinity
  /** bytes of the last batch: the next one is about as long */
  #lastLength = 0

  /** Makes `bytes` have room for `most` bytes from `at` on: all three may be others then. What was written of the batch moves along. */
  reserve(most: number): void {
    if (this.bytes.length - this.at >= most) return
    const start = this.#start
    const written = this.at - start
    const chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK, 2 * (written + most)))
    chunk.set(this.bytes.subarray(start, this.at))
    this.bytes = chunk
    this.view = this.#batch = new DataView(chunk.buffer)
    this.#start = 0
    this.at -= start
    this.#end -= start
    this.#keyEnd -= start
  }

  /** Begins anew, with no record. @param most records that may be closed */
  clear(most: number): void {
    this.at = this.#start
    this.reserve(Math.max(bodyStart(most), this.#lastLength))
    this.#batch = new DataView(this.bytes.buffer, this.#start)
    this.#most = most
    this.#count = 0
    this.#newest = -Infinity
    this.#end = this.at = this.#start + bodyStart(most)
  }

  /** Begins a record with the key and the time of another. @returns whether that has a key; otherwise nothing is begun */
  openLike(record: StoredRecord): boolean {
    if (record instanceof PackedRecord) {
      const { batch, index } = record
      const start = batch.startOf(index)
      const length = batch.keyLength(index)
      if (length >= 0) this.open(record.timestamp, batch.bytes, start, start + length)
      return length >= 0
    }
    const { key, timestamp } = record
    if (key) this.open(timestamp, key, 0, key.length)
    return key !== null
  }

  /** Begins a record whose key is `bytes` from `from` to `to`. */
  open(timestamp: number, bytes: Uint8Array, from: number, to: number): void {
    if (!Number.isFinite(timestamp))
      throw new LogError(`timestamp: expected a finite number of milliseconds, got ${timestamp}.`)
    if (this.#count === this.#most) throw new LogError(`records: expected at most ${this.#most}, got one more.`)
    this.#timestamp = timestamp
    this.at = this.#end
    this.reserve(to - from)
    this.#keyEnd = this.at = copy(bytes, from, to, this.bytes, this.at)
  }

  /** Writes a value: the bytes from `from` to `to`. @returns where it ends */
  write(bytes: Uint8Array, from: number, to: number): number {
    this.reserve(to - from)
    return copy(bytes, from, to, this.bytes, this.at)
  }

  /** Ends a record whose value ends before `end`. */
  close(end: number, headers?: OutgoingRecord['headers']): void {
    const valueLength = end - this.at
    this.at = end
    if (headers !== undefined) {
      this.reserve(headersSize(headers))
      this.at = writeHeaders(headers, this.bytes, this.at)
    }
    const from = this.#end
    const timestamp = this.#timestamp
    writeEntry(this.#batch, this.#count, from - this.#start, this.#keyEnd - from, valueLength, this.#count, timestamp)
    if (timestamp > this.#newest) this.#newest = timestamp
    this.#end = this.at
    this.#count++
  }

  /** What was packed since `clear`, or nothing. */
  finish(topic: string, partition: number): PackedPublication | undefined {
    const count = this.#count
    if (count === 0) return undefined
    const written = new Uint8Array(this.bytes.buffer, this.#start, this.#end - this.#start)
    const packed = count === this.#most ? written : moveBody(written, count, bodyStart(this.#most))
    writeFrame(this.#batch, count, packed.length)
    this.#lastLength = packed.length
    this.#start = aligned(this.#start + packed.length)
    // To go on without `clear` is refused.
    this.#most = this.#count = 0
    return new PackedPublication(topic, partition, new PackedRecords(0, packed), this.#newest)
  }
}

/** A publication packed by its writer. A log that stores records so takes the bytes; for any other, `records` are views of them. */
export class PackedPublication implements Publication {
  readonly topic: string
  readonly partition: number
  readonly packed: PackedRecords
  /** the newest of the timestamps */
  readonly newest: number
  #records: readonly OutgoingRecord[] | undefined

  constructor(topic: string, partition: number, packed: PackedRecords, newest: number) {
    this.topic = topic
    this.partition = partition
    this.packed = packed
    this.newest = newest
  }

  get records(): readonly OutgoingRecord[] {
    const { packed, partition } = this
    this.#records ??= Array.from({ length: packed.count }, (_, i) => {
      const { key, value, headers, timestamp } = packed.recordAt(i)
      const record = { key, value, timestamp, partition }
      return Object.keys(headers).length === 0 ? record : { ...record, headers }
    })
    return this.#records
  }
}
