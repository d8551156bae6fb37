import type { StoredRecord } from '@eddy/log'
import {
  featureVectorCodec,
  labelCodec,
  lineageCodec,
  schemaIdOf,
  snapshotCodec,
  statisticsCodec,
} from '@eddy/messages'
import { labelJson } from './label-json.ts'
import { snapshotJson } from './snapshot-json.ts'

const views: readonly (readonly [{ knows(id: number): boolean }, (bytes: Uint8Array) => unknown])[] = [
  [featureVectorCodec, bytes => plain(featureVectorCodec.decode(bytes))],
  [labelCodec, bytes => labelJson(labelCodec.decode(bytes))],
  [lineageCodec, bytes => plain(lineageCodec.decode(bytes))],
  [statisticsCodec, bytes => plain(statisticsCodec.decode(bytes))],
  [snapshotCodec, bytes => snapshotJson(snapshotCodec.decode(bytes))],
]

/** A record's value as JSON, whatever its schema; bytes that are neither Avro of ours nor JSON as text. */
export function valueJson({ value }: Pick<StoredRecord, 'value'>): unknown {
  if (value === null) return null
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  const id = schemaIdOf(value)
  // An id of a registry can be the built-in id of another message: the first that can read the bytes shows them.
  for (const [codec, view] of id === undefined ? [] : views) {
    try {
      if (codec.knows(id as number)) return view(value)
    } catch {
      // not this message
    }
  }
  const text = bytes.toString('utf8')
  try {
    const value: unknown = JSON.parse(text, keepDigits)
    // What is nested too deeply cannot be written again.
    JSON.stringify(value)
    return value
  } catch {
    return text
  }
}

/** JavaScript as of Node 22, which the language's declarations do not know yet. */
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => object }

/** A whole number that a double cannot hold, such as an id of 64 bits, by its own digits. */
const keepDigits = ((_name: string, value: unknown, { source }: { readonly source?: string }): unknown =>
  typeof value === 'number' && source !== undefined && /^-?\d+$/.test(source) && !Number.isSafeInteger(value)
    ? rawJSON(source)
    : value) as (this: unknown, name: string, value: unknown) => unknown

/** Arrays for typed arrays, numbers for BigInts that fit, null for NaN. */
function plain(message: object): unknown {
  return JSON.parse(
    JSON.stringify(message, (_name, value: unknown) => {
      if (typeof value === 'bigint') return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString()
      return value instanceof Float64Array ? [...value] : value
    }),
  )
}
