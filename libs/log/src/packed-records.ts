import { crc32 } from 'node:zlib'
import type { OutgoingRecord, StoredRecord } from './event-log.ts'

/*
 * Several records of one partition packed in one blob, all integers little-endian:
 *
 *   u32 crc32 of what follows · u32 number of records n
 *   n × { u32 start of the record's bytes · i32 key length (−1: null) · i32 value length (−1: null)
 *         · u32 offset − base offset · f64 timestamp }
 *   u32 end of the last record's bytes
 *   the records' bytes: key · value · headers, a header being { u16 name length · name · u32 value length · value }
 *
 * An entry has a fixed width, so that any record is found without decoding those before it.
 */
const HEADER = 8
const ENTRY = 24

/** Bytes a record takes in a batch. */
export function packedSize(record: OutgoingRecord): number {
  return ENTRY + (record.key?.length ?? 0) + (record.value?.length ?? 0) + headersSize(record.headers)
}

export function headersSize(headers: OutgoingRecord['headers']): number {
  let size = 0
  for (const name in headers) size += 6 + Buffer.byteLength(name) + headers[name]!.length
  return size
}

export interface PackOptions {
  /** ascending, from `base` on; default consecutive */
  readonly offsets?: readonly number[]
  /** of the records without a timestamp, milliseconds since 1970-01-01 UTC */
  readonly now?: number
  /** sum of the records' `packedSize`, if known */
  readonly bytes?: number
}

/** Packs records, not yet sealed. Nothing else is ever written where the result lies. */
export function packRecords(
  base: number,
  records: readonly OutgoingRecord[],
  { offsets, now = 0, bytes }: PackOptions = {},
): Uint8Array {
  const count = records.length
  const size = bodyStart(0) + (bytes ?? records.reduce((sum, record) => sum + packedSize(record), 0))
  const out = allocate(size)
  const view = new DataView(out.buffer, out.byteOffset)
  let at = bodyStart(count)
  for (let i = 0; i < count; i++) {
    const { key, value, headers, timestamp = now } = records[i]!
    writeEntry(
      view,
      i,
      at,
      key ? key.length : -1,
      value ? value.length : -1,
      offsets ? offsets[i]! - base : i,
      timestamp,
    )
    if (key) at = copy(key, 0, key.length, out, at)
    if (value) at = copy(value, 0, value.length, out, at)
    if (headers) at = writeHeaders(headers, out, at)
  }
  writeFrame(view, count, at)
  return out
}

/** Batches share buffers of so many bytes: one for each would be asked of the system, and its pages made, again and again. */
export const CHUNK = 1 << 20
let chunk: ArrayBuffer = new ArrayBuffer(0)
let used = 0

/** Memory for a batch, not yet written. */
function allocate(size: number): Uint8Array<ArrayBuffer> {
  if (size > CHUNK / 4) return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer)
  if (chunk.byteLength - used < size) {
    chunk = Buffer.allocUnsafeSlow(CHUNK).buffer
    used = 0
  }
  const at = used
  used += aligned(size)
  return new Uint8Array(chunk, at, size)
}

/** Rounded up, so that what follows is as well aligned as what is copied from or to there: thrice as fast. */
export const aligned = (size: number): number => 64 * Math.ceil(size / 64)

/** Where the records' bytes begin. */
export const bodyStart = (count: number): number => HEADER + count * ENTRY + 4

/**
 * @param keyLength bytes; −1: null
 * @param valueLength bytes; −1: null
 * @param offset from the base on
 */
export function writeEntry(
  view: DataView,
  index: number,
  start: number,
  keyLength: number,
  valueLength: number,
  offset: number,
  timestamp: number,
): void {
  const entry = HEADER + index * ENTRY
  view.setUint32(entry, start, true)
  view.setInt32(entry + 4, keyLength, true)
  view.setInt32(entry + 8, valueLength, true)
  view.setUint32(entry + 12, offset, true)
  view.setFloat64(entry + 16, timestamp, true)
}

/** Moves the records' bytes to where the entries of `count` of them end. @param from where they begin @returns the batch, that much shorter */
export function moveBody(batch: Uint8Array<ArrayBuffer>, count: number, from: number): Uint8Array<ArrayBuffer> {
  const moved = from - bodyStart(count)
  batch.copyWithin(bodyStart(count), from)
  const view = new DataView(batch.buffer, batch.byteOffset)
  for (let i = 0, entry = HEADER; i < count; i++, entry += ENTRY)
    view.setUint32(entry, view.getUint32(entry, true) - moved, true)
  return batch.subarray(0, batch.length - moved)
}

/** Writes how many records there are, and where the last one ends; no checksum yet. */
export function writeFrame(view: DataView, count: number, end: number): void {
  view.setUint32(0, 0, true)
  view.setUint32(4, count, true)
  view.setUint32(HEADER + count * ENTRY, end, true)
}

/**
 * Writes the checksum of a batch, before it is stored.
 * @param seed checksum of what is stored beside it
 * @returns the batch
 */
export function seal(batch: Uint8Array, seed = 0): Uint8Array {
  new DataView(batch.buffer, batch.byteOffset).setUint32(0, crc32(batch.subarray(4), seed), true)
  return batch
}

/** A call costs more than this many bytes. */
const FEW_BYTES = 32

/** Copies the bytes from `from` to `to`. @returns the position after them */
export function copy(bytes: Uint8Array, from: number, to: number, out: Uint8Array, at: number): number {
  const length = to - from
  // `set` would need a view of what is copied.
  if (length > FEW_BYTES) Buffer.prototype.copy.call(bytes as Buffer, out, at, from, to)
  else for (let i = 0; i < length; i++) out[at + i] = bytes[from + i]!
  return at + length
}

/** @returns the position after what was written */
export function writeHeaders(headers: NonNullable<OutgoingRecord['headers']>, out: Uint8Array, from: number): number {
  const view = new DataView(out.buffer, out.byteOffset)
  let at = from
  for (const name in headers) {
    const bytes = headers[name]!
    const { written } = encoder.encodeInto(name, out.subarray(at + 2))
    view.setUint16(at, written, true)
    at += 2 + written
    view.setUint32(at, bytes.length, true)
    at = copy(bytes, 0, bytes.length, out, at + 4)
  }
  return at
}

const encoder = new TextEncoder()

/** A packed batch, opened: records are views into its bytes, decoded when asked for. */
export class PackedRecords {
  readonly base: number
  readonly count: number
  readonly bytes: Uint8Array
  readonly view: DataView

  /** @param bytes what `packRecords` gave, sealed or not */
  constructor(base: number, bytes: Uint8Array) {
    this.base = base
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.count = this.view.getUint32(4, true)
  }

  /**
   * A batch that was stored.
   * @param seed what it was sealed with
   * @throws RangeError if the bytes are not what was written
   */
  static open(base: number, bytes: Uint8Array, seed = 0): PackedRecords {
    const checked = bytes.subarray(4)
    if (
      bytes.length < HEADER + 4 ||
      crc32(checked, seed) !== new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
    )
      throw new RangeError('record batch: expected its checksum, got damaged bytes')
    return new PackedRecords(base, bytes)
  }

  offsetAt(index: number): number {
    return this.base + this.view.getUint32(HEADER + index * ENTRY + 12, true)
  }

  /** Index of the first record at or after `offset`; `count` if there is none. */
  indexOf(offset: number): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.offsetAt(middle) < offset) low = middle + 1
      else high = middle
    }
    return low
  }

  timestampAt(index: number): number {
    return this.view.getFloat64(HEADER + index * ENTRY + 16, true)
  }

  /** Where the bytes of a record begin: its key. */
  startOf(index: number): number {
    return this.view.getUint32(HEADER + index * ENTRY, true)
  }

  /** Bytes; −1: null. */
  keyLength(index: number): number {
    return this.view.getInt32(HEADER + index * ENTRY + 4, true)
  }

  valueStart(index: number): number {
    return this.startOf(index) + Math.max(0, this.keyLength(index))
  }

  /** Bytes; −1: null. */
  valueLength(index: number): number {
    return this.view.getInt32(HEADER + index * ENTRY + 8, true)
  }

  recordAt(index: number): PackedRecord {
    return new PackedRecord(this, index)
  }
}

/** One record of many that are packed. */
export class PackedRecord implements StoredRecord {
  readonly batch: PackedRecords
  readonly index: number

  constructor(batch: PackedRecords, index: number) {
    this.batch = batch
    this.index = index
  }

  get offset(): number {
    return this.batch.offsetAt(this.index)
  }

  get timestamp(): number {
    return this.batch.timestampAt(this.index)
  }

  get key(): Uint8Array | null {
    const { batch, index } = this
    const length = batch.keyLength(index)
    const start = batch.startOf(index)
    return length < 0 ? null : batch.bytes.subarray(start, start + length)
  }

  get value(): Uint8Array | null {
    const { batch, index } = this
    const length = batch.valueLength(index)
    const start = batch.valueStart(index)
    return length < 0 ? null : batch.bytes.subarray(start, start + length)
  }

  get headers(): Readonly<Record<string, Uint8Array>> {
    const { batch, index } = this
    const { view, bytes } = batch
    // The entry after the last record's holds its end.
    const end = batch.startOf(index + 1)
    let at = batch.valueStart(index) + Math.max(0, batch.valueLength(index))
    if (at === end) return NONE
    const headers: Record<string, Uint8Array> = Object.create(null)
    while (at < end) {
      const nameLength = view.getUint16(at, true)
      const name = Buffer.from(bytes.buffer, bytes.byteOffset + at + 2, nameLength).toString()
      at += 2 + nameLength
      const length = view.getUint32(at, true)
      headers[name] = bytes.subarray(at + 4, at + 4 + length)
      at += 4 + length
    }
    return headers
  }
}

const NONE: Readonly<Record<string, Uint8Array>> = Object.freeze({})
