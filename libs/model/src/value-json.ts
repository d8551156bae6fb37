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
    const value: unknown = JSON.parse(text)
    // What is nested too deeply cannot be written again.
    JSON.stringify(value)
    return value
  } catch {
    return text
  }
}

/** Arrays for typed arrays, numbers for BigInts that fit, null for NaN. */
function plain(message: object): unknown {
  return JSON.parse(
    JSON.stringify(message, (_name, value: unknown) => {
      if (typeof value === 'bigint') return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString()
      return value instanceof Float64Array ? [...value] : value
    }),
  )
}
