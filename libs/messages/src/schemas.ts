import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import avro, { type Schema, type Type } from 'avsc'
import { MessageError } from './message-error.ts'

/** One published version of one message. */
export interface PublishedSchema {
  /** Confluent schema id: unique over all subjects */
  readonly id: number
  /** `<topic>-value` */
  readonly subject: string
  readonly version: number
  /** the Avro schema as JSON */
  readonly schema: Schema
  readonly type: Type
}

interface IdTableRow {
  readonly id: number
  readonly subject: string
  readonly version: number
  readonly schema: string
}

/** Avro `long` as bigint: all 64 bits. */
const long = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(value)
    return bytes
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint' && BigInt.asIntN(64, value) === value,
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
})

/** Avro type of a schema; every `long` reads and writes as bigint. */
export function avroType(schema: Schema): Type {
  const isLong = (node: Schema) => node === 'long' || (node as { type?: unknown }).type === 'long'
  return avro.Type.forSchema(schema, { typeHook: node => (isLong(node) ? long : undefined) as Type })
}

/** `dist/schemas` of an installed package (the build copies it there), `schemas/` of the repository for the source. */
function schemasFolder(): URL {
  const installed = new URL('./schemas/', import.meta.url)
  return existsSync(new URL('ids.json', installed)) ? installed : new URL('../../../schemas/', import.meta.url)
}

/**
 * Every published schema, from the id table `ids.json` of `folder`.
 * @throws MessageError when the table or a schema cannot be read
 */
export function loadSchemas(folder: URL = schemasFolder()): readonly PublishedSchema[] {
  const read = (file: string): unknown => {
    const path = new URL(file, folder)
    try {
      return JSON.parse(readFileSync(path, 'utf8'))
    } catch (error) {
      throw new MessageError(
        `schemas: expected readable JSON in ${fileURLToPath(path)}, got "${(error as Error).message}". Reinstall @eddy/messages, or restore the file.`,
      )
    }
  }
  return (read('ids.json') as IdTableRow[]).map(row => {
    const schema = read(row.schema) as Schema
    return { id: row.id, subject: row.subject, version: row.version, schema, type: avroType(schema) }
  })
}

/** The built-in id table. */
export const publishedSchemas: readonly PublishedSchema[] = loadSchemas()

/**
 * Versions of one subject, oldest first.
 * @throws MessageError when there is none
 */
export function versionsOf(subject: string, schemas = publishedSchemas): readonly PublishedSchema[] {
  const versions = schemas.filter(row => row.subject === subject).sort((a, b) => a.version - b.version)
  if (versions.length === 0) {
    const known = [...new Set(schemas.map(row => row.subject))].join(', ')
    throw new MessageError(`subject: expected one of ${known}, got ${subject}. Add it to schemas/ids.json.`)
  }
  return versions
}
