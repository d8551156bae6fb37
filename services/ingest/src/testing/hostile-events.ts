import type { Delivery, StoredRecord } from '@eddy/log'
import { packed } from '@eddy/log/testing'
import { deadLetterFrom, featureSchema, featureVectorCodec } from '@eddy/messages'
import { createMetrics } from '@eddy/runtime'
import { firstValueFrom, of } from 'rxjs'
import { avroFeatureVectorCodec } from '../../../../libs/messages/src/feature-vector.ts'
import { generator, mutate } from '../../../../libs/messages/src/testing/mutations.ts'
import type { FeatureRule } from '../feature-rule.ts'
import { ingest } from '../ingest.ts'
import { Tally } from '../tally.ts'
import { checkFeatureVector, toFeatureVector } from '../validate.ts'

const mixed: readonly FeatureRule[] = [
  { name: 'amount', type: 'number', min: -1e6, max: 1e6 },
  { name: 'visits', type: 'count' },
  { name: 'channel', type: 'category', values: ['web', 'shop'] },
  { name: 'member', type: 'boolean' },
]

/** Of numbers alone: plain JSON is read straight from its bytes then. */
const numbers = mixed.slice(0, 2)

/** Deliveries are cut so; a batch of ingest is a mini-batch of a user. */
const batch = 1000

export interface IngestFuzzResult {
  readonly accepted: number
  readonly refused: number
  /** slowest delivery, milliseconds */
  readonly slowest: number
}

/** A message as a producer means it: Avro or JSON, by turns. */
function original(random: () => number, run: number, rules: readonly FeatureRule[]): Uint8Array {
  const [amount, visits, code, member] = [
    random() * 100,
    Math.floor(random() * 9),
    random() < 0.5 ? 0 : 1,
    random() < 0.5,
  ]
  const customer = `c${Math.floor(random() * 1e6)}`
  if (run % 2 === 0) {
    const features = Float64Array.of(amount, visits, code, member ? 1 : 0).subarray(0, rules.length)
    return featureVectorCodec.encode({ customer, time: run, weight: 1, features }).slice()
  }
  const categories = rules === mixed ? { channel: ['web', 'shop'][code], member } : {}
  return Buffer.from(
    JSON.stringify({ customer, features: { amount: Number(amount.toFixed(4)), visits, ...categories } }),
  )
}

/** Whether an event can be used, found without ingest: by avsc and by JSON.parse. */
function usable(value: Uint8Array, rules: readonly FeatureRule[]): boolean {
  try {
    if (value[0] === 0) checkFeatureVector(avroFeatureVectorCodec.decode(value), rules, featureSchema(rules))
    else toFeatureVector(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(value)), rules, 0)
    return true
  } catch {
    return false
  }
}

/**
 * Sends `runs` mutated events through ingest. Each must come out exactly once: as a feature vector where it can be used, else as a dead
 * letter with its own bytes and place; and the counter of dead letters must say how many.
 * @throws when one does not
 */
export async function fuzzIngest(runs: number, seed: number): Promise<IngestFuzzResult> {
  const random = generator(seed)
  const metrics = createMetrics()
  const topics = { features: 'features', deadLetters: 'dead' }
  const stageOf = (rules: readonly FeatureRule[]) =>
    ingest({ rules, topics, maxEventBytes: 4096, tally: new Tally(rules, metrics) })
  const stages = [mixed, numbers].map(rules => ({ rules, stage: stageOf(rules) }))
  let [accepted, refused, slowest] = [0, 0, 0]
  for (let first = 0; first < runs; first += batch) {
    const { rules, stage } = stages[Math.floor(first / (2 * batch)) % 2]!
    const apart: StoredRecord[] = Array.from({ length: Math.min(batch, runs - first) }, (_, i) => ({
      offset: first + i,
      key: null,
      value: mutate(original(random, first + i, rules), random),
      headers: {},
      timestamp: 1,
    }))
    // As the embedded log hands them out: what is cut short is followed by the next event's bytes.
    const records = first % (2 * batch) === 0 ? packed(apart, first) : apart
    const delivery: Delivery = { topic: 'events', partition: 0, records, nextOffset: 0, endOffset: 0, ack: () => {} }
    const started = performance.now()
    const { publications } = await firstValueFrom(stage(of(delivery)))
    slowest = Math.max(slowest, performance.now() - started)
    const recordsOf = (topic: string) => publications.find(publication => publication.topic === topic)?.records ?? []
    const letters = recordsOf('dead').map(record => deadLetterFrom(record as StoredRecord))
    const expected = records.filter(({ value }) => !usable(value as Uint8Array, rules))
    const wrong =
      letters.length !== expected.length ||
      recordsOf('features').length + letters.length !== records.length ||
      letters.some(
        ({ offset, value }, i) => offset !== expected[i]!.offset || !Buffer.from(value!).equals(expected[i]!.value!),
      )
    if (wrong)
      throw new Error(
        `expected ${expected.length} dead letters of ${records.length}, got ${letters.length} (or others), from ${first} with seed ${seed}`,
      )
    accepted += recordsOf('features').length
    refused += letters.length
  }
  const counted = (await metrics.deadLetters.get()).values.reduce((sum, { value }) => sum + value, 0)
  if (counted !== refused) throw new Error(`expected the counter to say ${refused} dead letters, got ${counted}`)
  return { accepted, refused, slowest }
}
