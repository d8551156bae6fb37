import type { Resolver, Schema } from 'avsc'
import { boundsOf } from './bounds.ts'
import { MessageError } from './message-error.ts'
import { avroType, type PublishedSchema, publishedSchemas, versionsOf } from './schemas.ts'

/** A message type's bytes: Confluent wire format, written with the newest schema, read with whichever wrote it. */
export interface Codec<T> {
  /** `<topic>-value` */
  readonly subject: string
  /** id of the newest schema: the one written. The built-in id unless a registry gave another (`use`) */
  readonly id: number
  /** the newest schema */
  readonly schema: Schema
  /** From now on the newest schema is written, and read, under this id. */
  use(id: number): void
  /** whether messages with this id can be looked at without asking a registry */
  knows(id: number): boolean
  /**
   * Messages with this id were written with this schema. One that does not resolve to the newest schema, or is not safe
   * to read, makes `decode` refuse such messages (a built-in id keeps its meaning then). The oldest of many are forgotten.
   */
  learn(id: number, schema: Schema): void
  /** @throws MessageError naming the field that cannot be written */
  encode(value: T): Uint8Array
  /** @throws MessageError for anything but the bytes of this message: they belong in the dead letters */
  decode(bytes: Uint8Array): T
}

/** Byte 0 and the 4-byte big-endian schema id. */
export const headerLength = 5

/** Schemas of other writers that one codec keeps. */
const maxLearned = 64

/** Largest message that is looked at. */
const maxMessageBytes = 64 * 1024 * 1024

/** Writes byte 0 and the id to `into`, from `at` on. */
export function writeHeader(into: Uint8Array, at: number, id: number): void {
  into[at] = 0
  into[at + 1] = id >>> 24
  into[at + 2] = id >>> 16
  into[at + 3] = id >>> 8
  into[at + 4] = id
}

/**
 * Schema id of a message in Confluent wire format, which lies in `bytes` from `start` to `end`.
 * @throws MessageError when the bytes are too short, too long, or do not start with byte 0
 */
export function readHeader(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const length = end - start
  if (length < headerLength) {
    throw new MessageError(
      `message: expected at least ${headerLength} bytes (byte 0, 4-byte schema id), got ${length}. Is it in Confluent wire format?`,
    )
  }
  if (length > maxMessageBytes) {
    throw new MessageError(`message: expected at most ${maxMessageBytes} bytes, got ${length}. Quarantine it.`)
  }
  if (bytes[start] !== 0) {
    throw new MessageError(
      `message: expected byte 0 first (Confluent wire format), got ${bytes[start]}. Was it written without a schema id, or as JSON?`,
    )
  }
  return ((bytes[start + 1]! << 24) | (bytes[start + 2]! << 16) | (bytes[start + 3]! << 8) | bytes[start + 4]!) >>> 0
}

/** Schema id of a value that may be in Confluent wire format; undefined where it is not (JSON, a tombstone). */
export const schemaIdOf = (value: Uint8Array | null): number | undefined =>
  value === null || value.length < headerLength || value[0] !== 0 || value.length > maxMessageBytes
    ? undefined
    : readHeader(value)

interface Reader {
  readonly check: (bytes: Uint8Array, at: number) => void
  /** from this writer's schema to the newest; absent where that is the same */
  readonly resolver: Resolver | undefined
  readonly refuses?: true
}

/** Where messages are written, whose length is known only then; used again. */
let scratch = Buffer.allocUnsafeSlow(1 << 12)

/**
 * Codec of one subject.
 * @param toAvro value → the newest schema's record; 64-bit fields as bigint
 * @param fromAvro the newest schema's record → value
 * @param schemas the id table
 */
export function createCodec<T, A extends object>(
  subject: string,
  toAvro: (value: T) => A,
  fromAvro: (record: A) => T,
  schemas: readonly PublishedSchema[] = publishedSchemas,
): Codec<T> {
  const versions = versionsOf(subject, schemas)
  const newest = versions.at(-1)!
  const readers = new Map<number, Reader>(
    versions.map(writer => [
      writer.id,
      {
        check: boundsOf(writer.schema),
        resolver: writer === newest ? undefined : newest.type.createResolver(writer.type),
      },
    ]),
  )
  const learned = new Set<number>()
  let written = newest.id
  return {
    subject,
    schema: newest.schema,
    get id() {
      return written
    },
    use(id) {
      readers.set(id, { check: boundsOf(newest.schema), resolver: undefined })
      learned.delete(id)
      written = id
    },
    knows: id => readers.has(id),
    learn(id, schema) {
      const foreign = foreignReader(id, schema, newest)
      if (id === written || (foreign.refuses === true && readers.has(id) && !learned.has(id))) return
      if (learned.size >= maxLearned) {
        const oldest = learned.values().next().value!
        learned.delete(oldest)
        readers.delete(oldest)
      }
      learned.add(id)
      readers.set(id, foreign)
    },
    encode(value) {
      const record = toAvro(value)
      if (!newest.type.isValid(record)) throw unwritable(record, newest)
      let end = newest.type.encode(record, scratch, headerLength)
      if (end < 0) {
        // Minus the bytes that were missing.
        scratch = Buffer.allocUnsafeSlow(2 * (scratch.length - end))
        end = newest.type.encode(record, scratch, headerLength)
      }
      writeHeader(scratch, 0, written)
      return new Uint8Array(scratch.subarray(0, end))
    },
    decode(bytes) {
      const reader = readers.get(readHeader(bytes))
      if (!reader) throw unknownId(readHeader(bytes), versions, schemas)
      reader.check(bytes, headerLength)
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      return fromAvro(newest.type.decode(buffer, headerLength, reader.resolver).value as A)
    },
  }
}

/** Reads what another writer's schema wrote; refuses every message where that cannot be done. */
function foreignReader(id: number, schema: Schema, newest: PublishedSchema): Reader {
  try {
    return { check: boundsOf(schema), resolver: newest.type.createResolver(avroType(schema)) }
  } catch (error) {
    const refused = new MessageError(
      `schema id: expected a schema that resolves to ${newest.subject} version ${newest.version}, got ${id}: ${String((error as Error).message).slice(0, 300)}. Write it with a compatible schema.`,
    )
    const check = (): never => {
      throw refused
    }
    return { check, resolver: undefined, refuses: true }
  }
}

/** The error that names the first field avsc refuses. (Its own cannot show a bigint.) */
function unwritable(record: object, { subject, version, type }: PublishedSchema): MessageError {
  let field = 'value'
  let got: unknown = record
  type.isValid(record, {
    errorHook: (path, value) => {
      if (field === 'value') [field, got] = [path.join('.'), value]
    },
  })
  return new MessageError(
    `${field}: expected what ${subject} version ${version} allows, got ${typeof got} ${String(got).slice(0, 60)}. See schemas/.`,
  )
}

/** The error of a message whose schema id is none of `versions`. */
function unknownId(
  id: number,
  versions: readonly PublishedSchema[],
  schemas: readonly PublishedSchema[],
): MessageError {
  const other = schemas.find(row => row.id === id)
  const got = other ? `${id}, which is ${other.subject} version ${other.version}` : String(id)
  const next = other
    ? 'Read this topic with the codec of that subject.'
    : 'Add the id to schemas/ids.json, upgrade to a release that knows it, or point to the registry that issued it.'
  return new MessageError(
    `schema id: expected ${versions.map(row => row.id).join(' or ')} (${versions[0]!.subject}), got ${got}. ${next}`,
  )
}
