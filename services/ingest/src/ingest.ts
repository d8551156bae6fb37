import type { Delivery, OutgoingRecord, StoredRecord } from '@eddy/log'
import { deadLetterRecord, FeaturesReader, type FeatureVector, featureVectorCodec } from '@eddy/messages'
import type { Emission, Metrics, Stage } from '@eddy/runtime'
import { map } from 'rxjs'
import type { FeatureRule } from './feature-rule.ts'
import { Refusal } from './refusal.ts'
import { checkFeatureVector, checkValues, customerOf, longestCustomerId, toFeatureVector } from './validate.ts'

export interface IngestOptions {
  readonly rules: readonly FeatureRule[]
  readonly topics: { readonly features: string; readonly deadLetters: string }
  /** Larger events are refused before they are decoded, bytes. */
  readonly maxEventBytes: number
  readonly metrics?: Pick<Metrics, 'deadLetters'>
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * Raw events → validated feature vectors in the partition they came from; what cannot be used → dead letters with the
 * original bytes and the reason. Every event leads to exactly one of the two.
 */
export function ingest(options: IngestOptions): Stage {
  return deliveries => deliveries.pipe(map(delivery => ingestDelivery(delivery, options)))
}

function ingestDelivery(delivery: Delivery, options: IngestOptions): Emission {
  const features: OutgoingRecord[] = []
  const deadLetters: OutgoingRecord[] = []
  for (const record of delivery.records) {
    try {
      features.push(toRecord(record, options, delivery.partition))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      options.metrics?.deadLetters.inc({ reason: error.reason })
      deadLetters.push(quarantine(error, record, delivery))
    }
  }
  const publications = [
    { topic: options.topics.features, records: features },
    { topic: options.topics.deadLetters, records: deadLetters },
  ].filter(({ records }) => records.length > 0)
  return { publications, settles: [delivery] }
}

function toRecord(record: StoredRecord, { rules, maxEventBytes }: IngestOptions, partition: number): OutgoingRecord {
  const { value } = record
  if (value === null || value.length === 0)
    throw new Refusal('undecodable', 'event: expected JSON or Avro, got an empty value')
  if (value.length > maxEventBytes)
    throw new Refusal('too-large', `event: expected at most ${maxEventBytes} bytes, got ${value.length}`)
  if (value[0] !== 0)
    return vectorRecord(toFeatureVector(decodeJson(value), rules, record.timestamp), record, partition)
  return (
    readyRecord(value, rules, record, partition) ??
    vectorRecord(checkFeatureVector(decodeAny(value), rules), record, partition)
  )
}

const reader = new FeaturesReader()
let row = new Float64Array()

/** An event that is a feature vector in its newest form already is checked and goes on as it came; any other is undefined. */
function readyRecord(
  value: Uint8Array,
  rules: readonly FeatureRule[],
  source: StoredRecord,
  partition: number,
): OutgoingRecord | undefined {
  if (row.length !== rules.length) row = new Float64Array(rules.length)
  try {
    reader.decodeFeaturesInto(value, row, 0, rules.length)
  } catch {
    return undefined
  }
  if (!reader.newest) return undefined
  const key = reader.customerBytes
  // So many bytes are at most as many characters.
  if (key.length === 0 || key.length > longestCustomerId) customerOf(reader.customer)
  checkValues({ features: row, weight: reader.weight }, rules)
  return { key, value, ...traced(source), timestamp: source.timestamp, partition }
}

function decodeAny(value: Uint8Array): FeatureVector {
  try {
    return featureVectorCodec.decode(value)
  } catch (error) {
    throw new Refusal('undecodable', (error as Error).message)
  }
}

function decodeJson(value: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(value))
  } catch (error) {
    throw new Refusal(
      'undecodable',
      `event: expected JSON (or Avro with the Confluent header), got ${(error as Error).message}`,
    )
  }
}

function vectorRecord(vector: FeatureVector, source: StoredRecord, partition: number): OutgoingRecord {
  return {
    key: Buffer.from(vector.customer),
    value: featureVectorCodec.encode(vector),
    ...traced(source),
    timestamp: source.timestamp,
    partition,
  }
}

/** The trace goes on with the event. */
function traced({ headers: { traceparent } }: StoredRecord): Pick<OutgoingRecord, 'headers'> {
  return traceparent === undefined ? {} : { headers: { traceparent } }
}

function quarantine(refusal: Refusal, record: StoredRecord, delivery: Delivery): OutgoingRecord {
  const letter = deadLetterRecord({
    reason: refusal.reason,
    message: refusal.message,
    stage: 'ingest',
    topic: delivery.topic,
    partition: delivery.partition,
    offset: record.offset,
    key: record.key,
    value: record.value,
    headers: Object.entries(record.headers).map(([name, value]) => ({ name, value })),
  })
  return { ...letter, timestamp: record.timestamp, partition: delivery.partition }
}
