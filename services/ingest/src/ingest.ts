import {
  type Delivery,
  type OutgoingRecord,
  type Publication,
  RecordPacker,
  type StoredRecord,
  ValueSpan,
} from '@eddy/log'
import {
  deadLetterRecord,
  type FeatureSchema,
  FeaturesReader,
  type FeatureVector,
  featureSchema,
  featureVectorCodec,
  handedOnTrace,
  writeFeatures,
  writeFeatureVector,
} from '@eddy/messages'
import type { Emission, Stage } from '@eddy/runtime'
import type { CustomerIds } from '@eddy/settings'
import { map } from 'rxjs'
import { decodeJson } from './decode-json.ts'
import { disguised } from './disguised.ts'
import { timeOf } from './event-time.ts'
import type { FeatureRule } from './feature-rule.ts'
import { ingestedToHeader } from './ingested-to.ts'
import { PlainJsonReader } from './plain-json-reader.ts'
import { Refusal } from './refusal.ts'
import type { Tally } from './tally.ts'
import {
  checkFeatureVector,
  checkValues,
  customerOf,
  isAcceptable,
  longestCustomerId,
  toFeatureVector,
} from './validate.ts'

export interface IngestOptions {
  readonly rules: readonly FeatureRule[]
  readonly topics: { readonly features: string; readonly deadLetters: string }
  /** Larger events are refused before they are decoded, bytes. */
  readonly maxEventBytes: number
  /** Larger dead letters are cut, bytes. */
  readonly maxRecordBytes?: number | undefined
  /** What customer ids become, where producers have not done that themselves: nothing that is written has another one. */
  readonly ids?: CustomerIds | undefined
  /** told what each event was like */
  readonly tally?: Tally
}

/**
 * Raw events → validated feature vectors in the partition they came from; what cannot be used → dead letters with the
 * original bytes and the reason. Every event leads to exactly one of the two.
 */
export function ingest(options: IngestOptions): Stage {
  const schema = featureSchema(options.rules)
  return deliveries => deliveries.pipe(map(delivery => ingestDelivery(delivery, options, schema)))
}

const packer = new RecordPacker()
const span = new ValueSpan()
const reader = new FeaturesReader()
let plain = new PlainJsonReader([])
let row = new Float64Array()
/** For the first feature vector of a delivery, until there is one. */
let mark: OutgoingRecord['headers']

function ingestDelivery(delivery: Delivery, options: IngestOptions, schema: FeatureSchema): Emission {
  const { topic, partition, records } = delivery
  const deadLetters: OutgoingRecord[] = []
  packer.clear(records.length)
  mark = ingestedToHeader(delivery.nextOffset)
  if (row.length !== options.rules.length) row = new Float64Array(options.rules.length)
  for (const given of records) {
    const record = options.ids === undefined ? given : disguised(given, options.ids)
    try {
      pack(record, options, schema)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      options.tally?.refused(error)
      deadLetters.push(quarantine(error, record, topic, partition, options.maxRecordBytes))
    }
  }
  options.tally?.report()
  const publications: Publication[] = []
  const features = packer.finish(options.topics.features, partition)
  if (features !== undefined) publications.push(features)
  if (deadLetters.length > 0) publications.push({ topic: options.topics.deadLetters, records: deadLetters })
  return { publications, settles: [delivery] }
}

/** Packs the feature vector of an event. @throws Refusal before anything is packed */
function pack(record: StoredRecord, { rules, maxEventBytes, tally }: IngestOptions, schema: FeatureSchema): void {
  span.moveTo(record)
  const length = span.end - span.start
  if (length === 0) throw new Refusal('undecodable', 'event: expected JSON or Avro, got an empty value')
  if (length > maxEventBytes)
    throw new Refusal('too-large', `event: expected at most ${maxEventBytes} bytes, got ${length}`)
  const isJson = span.bytes[span.start] !== 0
  if (isJson ? packPlain(record, rules, schema) : packReady(record, rules, schema)) {
    tally?.accepted(row)
    return
  }
  const vector = isJson
    ? vectorOf(record, rules, tally)
    : checkFeatureVector(decodeAny(record.value as Uint8Array), rules, schema)
  packVector({ ...vector, schema: schema.identity }, record)
  tally?.accepted(vector.features)
}

function vectorOf({ value, timestamp }: StoredRecord, rules: readonly FeatureRule[], tally?: Tally): FeatureVector {
  const event = decodeJson(value as Uint8Array)
  tally?.keysOf(event)
  return toFeatureVector(event, rules, timestamp)
}

/** An event that is a feature vector in its newest form already is checked and goes on as it came, naming its schema. @returns whether it was one */
function packReady(record: StoredRecord, rules: readonly FeatureRule[], schema: FeatureSchema): boolean {
  const { bytes, start, end } = span
  try {
    reader.decodeFeaturesInto(bytes, row, 0, schema, start, end)
  } catch {
    return false
  }
  if (!reader.newest) return false
  const { customerStart, customerEnd } = reader
  const customerLength = customerEnd - customerStart
  // So many bytes are at most as many characters.
  if (customerLength === 0 || customerLength > longestCustomerId) customerOf(reader.customer)
  checkValues(row, reader.weight, rules)
  packer.open(record.timestamp, bytes, customerStart, customerEnd)
  const packedTo = packer.write(bytes, start, end)
  packer.view.setUint32(packedTo - (end - reader.identityAt), schema.identity, true)
  packer.close(packedTo, headersOf(record))
  return true
}

/** An event in plain JSON whose values are all as they should be. @returns whether it was one */
function packPlain(record: StoredRecord, rules: readonly FeatureRule[], schema: FeatureSchema): boolean {
  if (!plain.isFor(rules)) plain = new PlainJsonReader(rules)
  const { bytes } = span
  if (!plain.read(bytes, span.start, span.end, row) || !isAcceptable(row, plain.weight, rules)) return false
  const { customerStart, customerEnd, weight } = plain
  const time = timeOf(Number.isNaN(plain.time) ? undefined : plain.time, record.timestamp)
  packer.open(record.timestamp, bytes, customerStart, customerEnd)
  const { identity } = schema
  const packedTo = writeFeatures(packer, bytes, customerStart, customerEnd, time, weight, row, identity)
  packer.close(packedTo, headersOf(record))
  return true
}

function headersOf(record: StoredRecord): OutgoingRecord['headers'] {
  const trace = handedOnTrace(record.headers)
  if (mark === undefined) return trace
  const first = { ...trace, ...mark }
  mark = undefined
  return first
}

function packVector(vector: FeatureVector, record: StoredRecord): void {
  const key = Buffer.from(vector.customer)
  packer.open(record.timestamp, key, 0, key.length)
  packer.close(writeFeatureVector(packer, vector), headersOf(record))
}

function decodeAny(value: Uint8Array): FeatureVector {
  try {
    return featureVectorCodec.decode(value)
  } catch (error) {
    throw new Refusal('undecodable', (error as Error).message)
  }
}

function quarantine(
  refusal: Refusal,
  record: StoredRecord,
  topic: string,
  partition: number,
  most: number | undefined,
): OutgoingRecord {
  const whole = {
    reason: refusal.reason,
    message: refusal.message,
    stage: 'ingest',
    topic,
    partition,
    offset: record.offset,
    key: record.key,
    value: record.value,
    headers: Object.entries(record.headers).map(([name, value]) => ({ name, value })),
  }
  const letter = deadLetterRecord(whole, most)
  return { ...letter, timestamp: record.timestamp, partition }
}
