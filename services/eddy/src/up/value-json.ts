import type { StoredRecord } from '@eddy/log'
import { featureVectorCodec, labelCodec, lineageCodec, snapshotCodec, statisticsCodec } from '@eddy/messages'
import { labelJson } from './label-json.ts'
import { snapshotJson } from './snapshot-json.ts'

const views = new Map<number, (bytes: Uint8Array) => unknown>([
  [featureVectorCodec.id, bytes => plain(featureVectorCodec.decode(bytes))],
  [labelCodec.id, bytes => labelJson(labelCodec.decode(bytes))],
  [lineageCodec.id, bytes => plain(lineageCodec.decode(bytes))],
  [statisticsCodec.id, bytes => plain(statisticsCodec.decode(bytes))],
  [snapshotCodec.id, bytes => snapshotJson(snapshotCodec.decode(bytes))],
])

/** A record's value as JSON, whatever its schema; bytes that are neither Avro of ours nor JSON as text. */
export function valueJson({ value }: Pick<StoredRecord, 'value'>): unknown {
  if (value === null) return null
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  const view = bytes.length > 5 && bytes[0] === 0 ? views.get(bytes.readInt32BE(1)) : undefined
  try {
    return view === undefined ? JSON.parse(bytes.toString('utf8')) : view(value)
  } catch {
    return bytes.toString('utf8')
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
