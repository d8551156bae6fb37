import { LogError, type OutgoingRecord, type Publication, type StoredRecord } from './event-log.ts'
import {
  allocate,
  bodyStart,
  copy,
  headersSize,
  PackedRecord,
  PackedRecords,
  writeEntry,
  writeFrame,
  writeHeaders,
} from './packed-records.ts'

/** Numbers of an entry in `#numbers`. */
const NUMBERS = 4

/**
 * Records of one partition written side by side into one buffer, for stages that make many: a log that stores them so takes the bytes
 * as they are, and nothing is made a record. First `clear`, then for each record: `open`, its value written at `bytes[at…]` after `reserve`, `close`. What is
 * opened and not closed is dropped. The memory is used again.
 */
export class RecordPacker {
  /** keys, values and headers: a value is written from `at` on after `reserve` */
  bytes: Buffer = Buffer.allocUnsafeSlow(1 << 16)
  view = new DataView(this.bytes.buffer)
  at = 0
  /** shape (records, 4): start, key length, value length, timestamp */
  #numbers = new Float64Array(NUMBERS * 256)
  #count = 0
  #end = 0

  /** Makes `bytes` have room for `most` bytes from `at` on; what was written stays. */
  reserve(most: number): void {
    if (this.bytes.length - this.at >= most) return
    const larger = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(this.at + most)))
    larger.set(this.bytes.subarray(0, this.at))
    this.bytes = larger
    this.view = new DataView(larger.buffer)
  }

  /** Begins anew, with no record. */
  clear(): void {
    this.#count = this.#end = this.at = 0
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
    const entry = this.#count * NUMBERS
    if (entry === this.#numbers.length) {
      const larger = new Float64Array(2 * entry)
      larger.set(this.#numbers)
      this.#numbers = larger
    }
    this.at = this.#end
    this.#numbers[entry] = this.at
    this.#numbers[entry + 1] = to - from
    this.#numbers[entry + 3] = timestamp
    this.reserve(to - from)
    this.at = copy(bytes, from, to, this.bytes, this.at)
  }

  /** Writes a value: the bytes from `from` to `to`. @returns where it ends */
  write(bytes: Uint8Array, from: number, to: number): number {
    this.reserve(to - from)
    return copy(bytes, from, to, this.bytes, this.at)
  }

  /** Ends a record whose value ends before `end`. */
  close(end: number, headers?: OutgoingRecord['headers']): void {
    this.#numbers[this.#count * NUMBERS + 2] = end - this.at
    this.at = end
    if (headers !== undefined) {
      this.reserve(headersSize(headers))
      this.at = writeHeaders(headers, this.bytes, end)
    }
    this.#end = this.at
    this.#count++
  }

  /** What was packed since `clear`, or nothing. */
  finish(topic: string, partition: number): PackedPublication | undefined {
    const count = this.#count
    if (count === 0) return undefined
    const start = bodyStart(count)
    const out = allocate(start + this.#end)
    const view = new DataView(out.buffer, out.byteOffset)
    let newest = -Infinity
    for (let i = 0, n = 0; i < count; i++, n += NUMBERS) {
      const numbers = this.#numbers
      const timestamp = numbers[n + 3]!
      writeEntry(view, i, start + numbers[n]!, numbers[n + 1]!, numbers[n + 2]!, i, timestamp)
      if (timestamp > newest) newest = timestamp
    }
    out.set(this.bytes.subarray(0, this.#end), start)
    writeFrame(view, count, out.length)
    return new PackedPublication(topic, partition, new PackedRecords(0, out), newest)
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
