import type { OutgoingRecord, StoredRecord } from '@eddy/log'
import { crc32c } from './crc32c.ts'
import { VarintReader, varintSize, writeVarint } from './varint.ts'

/*
 * Kafka's record batch, version 2 (org.apache.kafka.common.record.DefaultRecordBatch), written and read in one pass over the
 * bytes. Client libraries make an object or more of each field of each record, which costs more than all else a relay does.
 */

const LENGTH_AT = 8
const MAGIC_AT = 16
const CRC_AT = 17
const ATTRIBUTES_AT = 21
const LAST_DELTA_AT = 23
const FIRST_TIMESTAMP_AT = 27
const MAX_TIMESTAMP_AT = 35
const PRODUCER_AT = 43
const EPOCH_AT = 51
const SEQUENCE_AT = 53
const COUNT_AT = 57
const HEAD_BYTES = 61
/** What `length` does not count: base offset and length itself. */
const BEFORE_LENGTH = 12

const MAGIC = 2
const COMPRESSION = 0b111
const LOG_APPEND_TIME = 0b1000
const TRANSACTIONAL = 0b1_0000
const CONTROL = 0b10_0000

/** Compresses or decompresses the records of a batch. */
export type Convert = (bytes: Buffer) => Buffer | Promise<Buffer>

export interface BatchOptions {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly firstSequence: number
  readonly transactional: boolean
  /** milliseconds since 1970-01-01 UTC, of records without a timestamp */
  readonly now: number
  /** the codec's number in the attributes, and the codec; not compressed if absent */
  readonly compression?: { readonly attribute: number; readonly compress: Convert }
}

/** The batch of some records, at least one. */
export async function encodeRecordBatch(records: readonly OutgoingRecord[], options: BatchOptions): Promise<Buffer> {
  const { compression } = options
  const plain = encodeRecords(records, options)
  if (compression === undefined) return plain
  const compressed = await compression.compress(plain.subarray(HEAD_BYTES))
  const batch = Buffer.concat([plain.subarray(0, HEAD_BYTES), compressed])
  batch.writeInt16BE(batch.readInt16BE(ATTRIBUTES_AT) | compression.attribute, ATTRIBUTES_AT)
  return seal(batch)
}

/** An uncompressed batch. */
export function encodeRecords(records: readonly OutgoingRecord[], options: BatchOptions): Buffer {
  const first = timestampOf(records[0]!, options.now)
  let room = HEAD_BYTES
  for (const record of records) room += roomOf(record)
  const batch = Buffer.allocUnsafe(room)
  let at = HEAD_BYTES
  let latest = first
  for (let i = 0; i < records.length; i++) {
    const record = records[i]!
    const timestamp = timestampOf(record, options.now)
    if (timestamp > latest) latest = timestamp
    at = writeRecord(batch, at, record, i, timestamp - first)
  }
  const { producerId, producerEpoch, firstSequence, transactional } = options
  batch.writeBigInt64BE(0n, 0)
  batch.writeInt32BE(0, LENGTH_AT + 4)
  batch[MAGIC_AT] = MAGIC
  batch.writeInt16BE(transactional ? TRANSACTIONAL : 0, ATTRIBUTES_AT)
  batch.writeInt32BE(records.length - 1, LAST_DELTA_AT)
  batch.writeBigInt64BE(BigInt(first), FIRST_TIMESTAMP_AT)
  batch.writeBigInt64BE(BigInt(latest), MAX_TIMESTAMP_AT)
  batch.writeBigInt64BE(producerId, PRODUCER_AT)
  batch.writeInt16BE(producerEpoch, EPOCH_AT)
  batch.writeInt32BE(firstSequence, SEQUENCE_AT)
  batch.writeInt32BE(records.length, COUNT_AT)
  return seal(batch.subarray(0, at))
}

/** Fills in length and checksum. */
function seal(batch: Buffer): Buffer {
  batch.writeInt32BE(batch.length - BEFORE_LENGTH, LENGTH_AT)
  batch.writeUInt32BE(crc32c(batch, ATTRIBUTES_AT), CRC_AT)
  return batch
}

const timestampOf = ({ timestamp }: OutgoingRecord, now: number): number =>
  timestamp === undefined ? now : Math.trunc(timestamp)

/** Bytes of a record, at most. */
function roomOf({ key, value, headers }: OutgoingRecord): number {
  let room = 36 + (key?.length ?? 0) + (value?.length ?? 0)
  for (const name in headers) room += 10 + 3 * name.length + headers[name]!.length
  return room
}

function writeRecord(batch: Buffer, start: number, record: OutgoingRecord, index: number, age: number): number {
  const { key, value, headers } = record
  const names = headers === undefined ? NO_NAMES : Object.keys(headers)
  let size = 1 + varintSize(age) + varintSize(index) + sizeOfBytes(key) + sizeOfBytes(value) + varintSize(names.length)
  for (const name of names) {
    const length = Buffer.byteLength(name)
    size += varintSize(length) + length + sizeOfBytes(headers![name]!)
  }
  let at = writeVarint(batch, start, size)
  batch[at++] = 0
  at = writeVarint(batch, at, age)
  at = writeVarint(batch, at, index)
  at = writeBytes(batch, at, key)
  at = writeBytes(batch, at, value)
  at = writeVarint(batch, at, names.length)
  for (const name of names) {
    at = writeVarint(batch, at, Buffer.byteLength(name))
    at += batch.write(name, at)
    at = writeBytes(batch, at, headers![name]!)
  }
  return at
}

const NO_NAMES: readonly string[] = []

const sizeOfBytes = (bytes: Uint8Array | null): number => (bytes === null ? 1 : varintSize(bytes.length) + bytes.length)

function writeBytes(batch: Buffer, at: number, bytes: Uint8Array | null): number {
  if (bytes === null) return writeVarint(batch, at, -1)
  const start = writeVarint(batch, at, bytes.length)
  batch.set(bytes, start)
  return start + bytes.length
}

/** A batch as it was fetched. */
export interface RecordBatch {
  readonly baseOffset: number
  /** the last offset it had when it was written; compaction may have removed the record */
  readonly lastOffset: number
  readonly producerId: bigint
  readonly transactional: boolean
  /** a marker: commits or aborts its producer's transaction, and holds nothing for readers */
  readonly control: boolean
  readonly records: readonly StoredRecord[]
}

/** The batches of a fetched partition; one that the fetch cut off is left out. @param decompress by the codec's number */
export async function decodeRecordBatches(
  bytes: Buffer,
  decompress: (codec: number) => Convert,
): Promise<RecordBatch[]> {
  const batches: RecordBatch[] = []
  for (let at = 0; at + HEAD_BYTES <= bytes.length; ) {
    const end = at + BEFORE_LENGTH + bytes.readInt32BE(at + LENGTH_AT)
    if (end > bytes.length) break
    if (bytes[at + MAGIC_AT] !== MAGIC)
      throw new RangeError(
        `record batch: expected version ${MAGIC}, got ${bytes[at + MAGIC_AT]}. Written before Kafka 0.11?`,
      )
    const head = bytes.subarray(at, at + HEAD_BYTES)
    const codec = head.readInt16BE(ATTRIBUTES_AT) & COMPRESSION
    const packed = bytes.subarray(at + HEAD_BYTES, end)
    batches.push(decodeBatch(head, codec === 0 ? packed : await decompress(codec)(packed)))
    at = end
  }
  return batches
}

function decodeBatch(head: Buffer, bytes: Buffer): RecordBatch {
  const attributes = head.readInt16BE(ATTRIBUTES_AT)
  const baseOffset = Number(head.readBigInt64BE(0))
  const records: StoredRecord[] = new Array(head.readInt32BE(COUNT_AT))
  const appended = attributes & LOG_APPEND_TIME ? Number(head.readBigInt64BE(MAX_TIMESTAMP_AT)) : undefined
  const first = Number(head.readBigInt64BE(FIRST_TIMESTAMP_AT))
  const reader = new VarintReader(bytes)
  for (let i = 0; i < records.length; i++) {
    const size = reader.read()
    const end = reader.at + size
    reader.at++
    const timestamp = appended ?? first + reader.read()
    if (appended !== undefined) reader.read()
    const offset = baseOffset + reader.read()
    const key = readBytes(bytes, reader)
    const value = readBytes(bytes, reader)
    records[i] = { offset, key, value, headers: readHeaders(bytes, reader), timestamp }
    if (reader.at !== end)
      throw new RangeError(`record ${offset}: expected ${size} bytes, got ${size + reader.at - end}`)
  }
  return {
    baseOffset,
    lastOffset: baseOffset + head.readInt32BE(LAST_DELTA_AT),
    producerId: head.readBigInt64BE(PRODUCER_AT),
    transactional: (attributes & TRANSACTIONAL) !== 0,
    control: (attributes & CONTROL) !== 0,
    records,
  }
}

function readBytes(bytes: Buffer, reader: VarintReader): Buffer | null {
  const length = reader.read()
  if (length < 0) return null
  const start = reader.at
  reader.at = start + length
  if (reader.at > bytes.length) throw new RangeError('record batch: expected all of its bytes, got fewer')
  return bytes.subarray(start, reader.at)
}

const NONE: Readonly<Record<string, Uint8Array>> = Object.freeze({})

/** The last of several headers of one name counts. */
function readHeaders(bytes: Buffer, reader: VarintReader): Readonly<Record<string, Uint8Array>> {
  const count = reader.read()
  if (count === 0) return NONE
  const headers: Record<string, Uint8Array> = Object.create(null)
  for (let i = 0; i < count; i++) {
    const name = readBytes(bytes, reader)
    const value = readBytes(bytes, reader)
    if (name !== null && value !== null) headers[name.toString()] = value
  }
  return headers
}
