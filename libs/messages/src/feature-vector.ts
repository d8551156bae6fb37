import { isUtf8 } from 'node:buffer'
import { type Codec, createCodec, headerLength, readHeader, writeHeader } from './codec.ts'
import { type FeatureSchema, identityText, isOfSchema } from './feature-schema.ts'
import { longOf, numberOf, textOf, wholeOf } from './fields.ts'
import { bytesOfFloats, floatsOfBytes } from './little-endian.ts'
import { MessageError } from './message-error.ts'
import type { FeatureVector } from './messages.ts'
import { type Room, Slab, textRoom, writeFloats, writeText } from './slab.ts'
import { LongReader, longRoom, writeLong } from './varint.ts'

interface AvroFeatureVector {
  customer: string
  time: bigint
  weight: number
  schema: Buffer
  features: Buffer
}

/** The codec through avsc: the reference of the fast path below, and its fallback for older writers. */
export const avroFeatureVectorCodec: Codec<FeatureVector> = createCodec<FeatureVector, AvroFeatureVector>(
  'eddy.features.v1-value',
  vector => ({
    customer: textOf(vector.customer, 'customer'),
    time: longOf(vector.time, 'time'),
    weight: vector.weight,
    schema: identityBytes(vector.schema ?? 0),
    features: bytesOfFloats(vector.features),
  }),
  record => ({
    customer: record.customer,
    time: numberOf(record.time, 'time'),
    weight: record.weight,
    schema: record.schema.readUInt32LE(),
    features: floatsOfBytes(record.features, 'features'),
  }),
)

/** Bytes of an identity. */
const identityLength = 4

function identityBytes(identity: number): Buffer {
  const bytes = Buffer.alloc(identityLength)
  bytes.writeUInt32LE(identity)
  return bytes
}

/** Writes a vector into `room`. Returns the position after it. */
export function writeFeatureVector(room: Room, vector: FeatureVector): number {
  const { customer, time, features } = vector
  room.reserve(headerLength + textRoom(customer) + longRoom + 8 + identityLength + longRoom + features.byteLength)
  const { bytes, view } = room
  writeHeader(bytes, room.at, avroFeatureVectorCodec.id)
  let at = writeText(bytes, customer, room.at + headerLength, 'customer')
  at = writeLong(bytes, at, wholeOf(time, 'time'))
  view.setFloat64(at, vector.weight, true)
  view.setUint32(at + 8, vector.schema ?? 0, true)
  at = writeLong(bytes, at + 8 + identityLength, features.byteLength)
  return writeFloats(view, features, 0, features.length, at)
}

/**
 * Writes a vector whose customer is UTF-8 already: from `from` to `to` of `customer`.
 * @returns the position after it
 */
export function writeFeatures(
  room: Room,
  customer: Uint8Array,
  from: number,
  to: number,
  time: number,
  weight: number,
  features: Float64Array,
  identity: number,
): number {
  room.reserve(headerLength + to - from + 3 * longRoom + 8 + identityLength + features.byteLength)
  const { bytes, view } = room
  writeHeader(bytes, room.at, avroFeatureVectorCodec.id)
  let at = writeLong(bytes, room.at + headerLength, to - from)
  for (let i = from; i < to; i++) bytes[at++] = customer[i]!
  at = writeLong(bytes, at, wholeOf(time, 'time'))
  view.setFloat64(at, weight, true)
  view.setUint32(at + 8, identity, true)
  at = writeLong(bytes, at + 8 + identityLength, features.byteLength)
  return writeFloats(view, features, 0, features.length, at)
}

const slab = new Slab()

/**
 * Reads feature vectors one after another into rows of a matrix, without allocating (the customer is decoded when asked
 * for). About five times as fast as avsc; messages of older schema versions go through avsc.
 */
export class FeaturesReader {
  /** event time of the last message, milliseconds since 1970-01-01 UTC */
  time = 0
  /** weight of the last message */
  weight = 0
  /** identity of the last message's schema, u32; 0: not known */
  identity = 0
  /** where the last message has that among the bytes, if it is `newest` */
  identityAt = 0
  /** whether the last message is as `featureVectorCodec` writes it: under the newest schema's id */
  newest = false
  #customer: string | undefined
  #bytes: Uint8Array = new Uint8Array()
  #start = 0
  #end = 0
  #ascii = true
  #view: DataView<ArrayBufferLike> = new DataView(new ArrayBuffer(0))
  readonly #long = new LongReader()

  /** Customer of the last message; its bytes must still be valid. */
  get customer(): string {
    if (this.#customer === undefined) {
      const { buffer, byteOffset, byteLength } = this.#bytes
      const bytes = Buffer.from(buffer, byteOffset, byteLength)
      this.#customer = bytes.toString(this.#ascii ? 'latin1' : 'utf8', this.#start, this.#end)
    }
    return this.#customer
  }

  /** UTF-8 bytes of the last message's customer: from `customerStart` to `customerEnd` of these. */
  get customerBytes(): Uint8Array {
    return this.#bytes
  }

  get customerStart(): number {
    return this.#start
  }

  get customerEnd(): number {
    return this.#end
  }

  /**
   * Reads one message, which lies in `bytes` from `start` to `end`.
   * @param values written to: `columns` values from `at` on
   * @param schema of the configuration; vectors of any other are refused
   * @throws MessageError as `featureVectorCodec.decode`; nothing of `values` is written then
   */
  decodeFeaturesInto(
    bytes: Uint8Array,
    values: Float64Array,
    at: number,
    schema: FeatureSchema,
    start = 0,
    end = bytes.length,
  ): void {
    if (readHeader(bytes, start, end) !== avroFeatureVectorCodec.id) {
      this.#decodeOlder(bytes.subarray(start, end), values, at, schema)
      return
    }
    const features = this.#locate(bytes, start, end)
    const { columns } = schema
    if (!isOfSchema(this.identity, schema)) throw wrongSchema(schema.identity, this.identity)
    if (end - features !== columns * 8) throw wrongColumns(columns, (end - features) / 8)
    const view = this.#view
    for (let i = 0, from = bytes.byteOffset + features; i < columns; i++, from += 8) {
      values[at + i] = view.getFloat64(from, true)
    }
  }

  /** Reads one message of any number of features. */
  decode(bytes: Uint8Array): FeatureVector {
    if (readHeader(bytes) !== avroFeatureVectorCodec.id) return avroFeatureVectorCodec.decode(bytes)
    const start = this.#locate(bytes, 0, bytes.length)
    const features = new Float64Array((bytes.length - start) / 8)
    for (let i = 0, from = bytes.byteOffset + start; i < features.length; i++, from += 8) {
      features[i] = this.#view.getFloat64(from, true)
    }
    return { customer: this.customer, time: this.time, weight: this.weight, schema: this.identity, features }
  }

  /** Checks everything, reads what stands before the features, and returns where those begin. */
  #locate(bytes: Uint8Array, from: number, to: number): number {
    // A number is read beyond `to` where bytes follow: what comes next does not fit then.
    const long = this.#long
    const nameLength = long.read(bytes, from + headerLength, 'customer')
    const start = long.at
    const end = start + nameLength
    if (nameLength < 0 || end > to) throw wrongLength('customer', to - start, nameLength)
    let ascii = true
    for (let i = start; i < end; i++) {
      if (bytes[i]! > 0x7f) {
        ascii = false
        break
      }
    }
    if (!ascii && !isUtf8(bytes.subarray(start, end))) {
      throw new MessageError('customer: expected UTF-8 text, got other bytes. Quarantine the message.')
    }
    const time = long.read(bytes, end, 'time')
    const weightAt = long.at
    const identityAt = weightAt + 8
    if (to - weightAt < 8) throw wrongLength('weight', to - weightAt, 8)
    if (to - identityAt < identityLength) throw wrongLength('schema', to - identityAt, identityLength)
    const size = long.read(bytes, identityAt + identityLength, 'features')
    const left = to - long.at
    if (left < 0 || size !== left || size % 8 !== 0) throw wrongLength('features', left, size)
    // Records of one delivery share a buffer: one view serves them all.
    if (this.#view.buffer !== bytes.buffer) this.#view = new DataView(bytes.buffer)
    this.weight = this.#view.getFloat64(bytes.byteOffset + weightAt, true)
    this.identity = this.#view.getUint32(bytes.byteOffset + identityAt, true)
    this.identityAt = identityAt
    this.time = time
    this.newest = true
    this.#bytes = bytes
    this.#start = start
    this.#end = end
    this.#ascii = ascii
    this.#customer = undefined
    return long.at
  }

  #decodeOlder(bytes: Uint8Array, values: Float64Array, at: number, schema: FeatureSchema): void {
    const vector = avroFeatureVectorCodec.decode(bytes)
    const { columns } = schema
    const identity = vector.schema ?? 0
    if (!isOfSchema(identity, schema)) throw wrongSchema(schema.identity, identity)
    if (vector.features.length !== columns) throw wrongColumns(columns, vector.features.length)
    values.set(vector.features, at)
    this.time = vector.time
    this.weight = vector.weight
    this.identity = identity
    this.newest = false
    this.#customer = vector.customer
    this.#bytes = Buffer.from(vector.customer)
    this.#start = 0
    this.#end = this.#bytes.length
  }
}

const wrongColumns = (columns: number, got: number) =>
  new MessageError(
    `features: expected ${columns} values (the configuration's), got ${got}. Was the configuration changed? Use a new topic or model for it.`,
  )

const wrongSchema = (expected: number, got: number) =>
  new MessageError(
    `schema: expected ${identityText(expected)} (the names, order, types and categories of the model's features), got ${identityText(got)}. It was written by a process of another configuration: use one for all.`,
  )

const wrongLength = (field: string, left: number, got: number) =>
  new MessageError(`${field}: expected a length that fits the ${left} bytes left, got ${got}. Quarantine the message.`)

const reader = new FeaturesReader()

/** Topic `eddy.features.v1`. What `encode` gives is a view of a slab: see `Slab`. */
export const featureVectorCodec: Codec<FeatureVector> = {
  subject: avroFeatureVectorCodec.subject,
  schema: avroFeatureVectorCodec.schema,
  get id() {
    return avroFeatureVectorCodec.id
  },
  use: id => avroFeatureVectorCodec.use(id),
  knows: id => avroFeatureVectorCodec.knows(id),
  learn: (id, schema) => avroFeatureVectorCodec.learn(id, schema),
  encode: vector => slab.take(writeFeatureVector(slab, vector)),
  decode: bytes => reader.decode(bytes),
}
