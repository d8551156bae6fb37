import fc from 'fast-check'
import type { DeadLetter, FeatureVector, Label, LineageEvent, Snapshot, StatisticsMessage } from '../messages.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 90 })
const offset = fc.maxSafeNat()
const time = fc.maxSafeInteger()
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const partition = fc.nat({ max: 2 ** 31 - 1 })
const float = fc.double()
const floats = fc.array(float, { maxLength: 20 }).map(values => Float64Array.from(values))
const bytes = fc.uint8Array({ maxLength: 40 })

export const featureVector: fc.Arbitrary<FeatureVector> = fc.record({
  customer: text,
  time,
  weight: float,
  schema: fc.nat({ max: 2 ** 32 - 1 }),
  features: floats,
})

export const statistics: fc.Arbitrary<StatisticsMessage> = fc.record({
  model: text,
  snapshotVersion: int64,
  partition,
  from: offset,
  to: offset,
  events: offset,
  offsetsHash: uint64,
  weight: float,
  logLikelihood: float,
  statistics: floats,
  squaredWeight: float,
})

export const snapshot: fc.Arbitrary<Snapshot> = fc.record({
  model: text,
  version: int64,
  step: int64,
  createdAt: time,
  specification: text,
  parameters: fc.dictionary(text, floats, { maxKeys: 6, noNullPrototype: true }),
  statistics: floats,
  segments: fc.array(fc.record({ id: text, since: int64 }), { maxLength: 8 }),
  ledger: fc.array(fc.record({ partition, next: offset, events: int64, offsetsHash: uint64 }), { maxLength: 8 }),
  statisticsOffset: offset,
  prequentialLogLikelihood: float,
  effectiveSampleSize: float,
  weight: float,
  provisional: fc.boolean(),
  epoch: int64,
  segmentsBorn: offset,
  expectedLogLikelihood: float,
  surprise: float,
  judgedWeight: float,
})

export const label: fc.Arbitrary<Label> = fc.record({
  customer: text,
  time,
  model: text,
  snapshotVersion: int64,
  segment: text,
  posterior: floats,
  logDensity: float,
  sourcePartition: partition,
  sourceOffset: offset,
  provisional: fc.boolean(),
})

export const lineage: fc.Arbitrary<LineageEvent> = fc.record({
  model: text,
  snapshotVersion: int64,
  kind: fc.constantFrom('birth', 'death', 'split', 'merge', 'drift'),
  parents: fc.array(text, { maxLength: 4 }),
  children: fc.array(text, { maxLength: 4 }),
  time,
})

export const deadLetter: fc.Arbitrary<DeadLetter> = fc.record({
  reason: text,
  message: text,
  stage: text,
  topic: text,
  partition,
  offset,
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.array(fc.record({ name: text, value: bytes }), { maxLength: 4 }),
})
