import { crc32 } from 'node:zlib'
import type { OutgoingRecord, StoredRecord } from '../event-log.ts'

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

function headersSize(headers: OutgoingRecord['headers']): number {
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

/** Packs records. The result has a buffer of its own. */
export function packBatch(
  base: number,
  records: readonly OutgoingRecord[],
  { offsets, now = 0, bytes }: PackOptions = {},
): Uint8Array {
  const count = records.length
  const size = HEADER + 4 + (bytes ?? records.reduce((sum, record) => sum + packedSize(record), 0))
  const { buffer } = Buffer.allocUnsafeSlow(size)
  const out = new Uint8Array(buffer)
  const view = new DataView(buffer)
  view.setUint32(4, count, true)
  let at = HEADER + count * ENTRY + 4
  for (let i = 0; i < count; i++) {
    const { key, value, headers, timestamp = now } = records[i]!
    const entry = HEADER + i * ENTRY
    view.setUint32(entry, at, true)
    view.setInt32(entry + 4, key ? key.length : -1, true)
    view.setInt32(entry + 8, value ? value.length : -1, true)
    view.setUint32(entry + 12, offsets ? offsets[i]! - base : i, true)
    view.setFloat64(entry + 16, timestamp, true)
    if (key) at = copy(key, out, at)
    if (value) at = copy(value, out, at)
    if (headers) at = writeHeaders(headers, view, out, at)
  }
  view.setUint32(HEADER + count * ENTRY, at, true)
  view.setUint32(0, crc32(out.subarray(4)), true)
  return out
}

/** A call of `set` costs more than this many bytes. */
const FEW_BYTES = 32

/** @returns the position after what was copied */
function copy(bytes: Uint8Array, out: Uint8Array, at: number): number {
  const { length } = bytes
  if (length > FEW_BYTES) out.set(bytes, at)
  else for (let i = 0; i < length; i++) out[at + i] = bytes[i]!
  return at + length
}

/** @returns the position after what was written */
function writeHeaders(
  headers: NonNullable<OutgoingRecord['headers']>,
  view: DataView,
  out: Uint8Array,
  from: number,
): number {
  let at = from
  for (const name in headers) {
    const bytes = headers[name]!
    const { written } = encoder.encodeInto(name, out.subarray(at + 2))
    view.setUint16(at, written, true)
    at += 2 + written
    view.setUint32(at, bytes.length, true)
    at = copy(bytes, out, at + 4)
  }
  return at
}

const encoder = new TextEncoder()

/** A packed batch, opened: records are views into its bytes, decoded when asked for. */
export class RecordBatch {
  readonly base: number
  readonly count: number
  readonly bytes: Uint8Array
  readonly view: DataView

  /** @param bytes what `packBatch` gave */
  constructor(base: number, bytes: Uint8Array) {
    this.base = base
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.count = this.view.getUint32(4, true)
  }

  /**
   * A batch that was stored.
   * @throws RangeError if the bytes are not what was written
   */
  static open(base: number, bytes: Uint8Array): RecordBatch {
    const checked = bytes.subarray(4)
    if (bytes.length < HEADER + 4 || crc32(checked) !== new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true))
      throw new RangeError('record batch: expected its checksum, got damaged bytes')
    return new RecordBatch(base, bytes)
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

  recordAt(index: number): PackedRecord {
    return new PackedRecord(this, index)
  }
}

/** One record of a batch. */
export class PackedRecord implements StoredRecord {
  readonly #batch: RecordBatch
  readonly #entry: number

  constructor(batch: RecordBatch, index: number) {
    this.#batch = batch
    this.#entry = HEADER + index * ENTRY
  }

  get offset(): number {
    return this.#batch.base + this.#batch.view.getUint32(this.#entry + 12, true)
  }

  get timestamp(): number {
    return this.#batch.view.getFloat64(this.#entry + 16, true)
  }

  get key(): Uint8Array | null {
    const { view, bytes } = this.#batch
    const length = view.getInt32(this.#entry + 4, true)
    const start = view.getUint32(this.#entry, true)
    return length < 0 ? null : bytes.subarray(start, start + length)
  }

  get value(): Uint8Array | null {
    const { view, bytes } = this.#batch
    const length = view.getInt32(this.#entry + 8, true)
    const start = view.getUint32(this.#entry, true) + Math.max(0, view.getInt32(this.#entry + 4, true))
    return length < 0 ? null : bytes.subarray(start, start + length)
  }

  get headers(): Readonly<Record<string, Uint8Array>> {
    const { view, bytes } = this.#batch
    const end = view.getUint32(this.#entry + ENTRY, true)
    let at =
      view.getUint32(this.#entry, true) +
      Math.max(0, view.getInt32(this.#entry + 4, true)) +
      Math.max(0, view.getInt32(this.#entry + 8, true))
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
