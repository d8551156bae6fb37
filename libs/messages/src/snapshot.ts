import { type Codec, createCodec } from './codec.ts'
import { longOf, numberOf, textOf, uint64Bytes, uint64Of } from './fields.ts'
import { bytesOfFloats, floatsOfBytes } from './little-endian.ts'
import type { Snapshot } from './messages.ts'

interface AvroSnapshot {
  model: string
  version: bigint
  step: bigint
  createdAt: bigint
  specification: string
  parameters: { name: string; values: Buffer }[]
  statistics: Buffer
  segments: { id: string; since: bigint }[]
  ledger: { partition: number; next: bigint; events: bigint; offsetsHash: Buffer; skipped: bigint }[]
  statisticsOffset: bigint
  prequentialLogLikelihood: number
  effectiveSampleSize: number
  weight: number
  provisional: boolean
  epoch: bigint
  segmentsBorn: bigint
  expectedLogLikelihood: number
  surprise: number
  judgedWeight: number
}

/** Topic `eddy.snapshots.v1`. Parameters keep the order of their names, so equal snapshots have equal bytes. */
export const snapshotCodec: Codec<Snapshot> = createCodec<Snapshot, AvroSnapshot>(
  'eddy.snapshots.v1-value',
  snapshot => ({
    model: textOf(snapshot.model, 'model'),
    version: snapshot.version,
    step: snapshot.step,
    createdAt: longOf(snapshot.createdAt, 'createdAt'),
    specification: textOf(snapshot.specification, 'specification'),
    parameters: Object.entries(snapshot.parameters).map(([name, values]) => ({
      name: textOf(name, 'parameters'),
      values: bytesOfFloats(values),
    })),
    statistics: bytesOfFloats(snapshot.statistics),
    segments: snapshot.segments.map(segment => ({ id: textOf(segment.id, 'segments'), since: segment.since })),
    ledger: snapshot.ledger.map(entry => ({
      partition: entry.partition,
      next: longOf(entry.next, 'ledger.next'),
      events: entry.events,
      offsetsHash: uint64Bytes(entry.offsetsHash, 'ledger.offsetsHash'),
      skipped: longOf(entry.skipped ?? 0, 'ledger.skipped'),
    })),
    statisticsOffset: longOf(snapshot.statisticsOffset, 'statisticsOffset'),
    prequentialLogLikelihood: snapshot.prequentialLogLikelihood,
    effectiveSampleSize: snapshot.effectiveSampleSize,
    weight: snapshot.weight,
    provisional: snapshot.provisional,
    epoch: snapshot.epoch,
    segmentsBorn: longOf(snapshot.segmentsBorn, 'segmentsBorn'),
    expectedLogLikelihood: snapshot.expectedLogLikelihood,
    surprise: snapshot.surprise,
    judgedWeight: snapshot.judgedWeight,
  }),
  record => ({
    model: record.model,
    version: record.version,
    step: record.step,
    createdAt: numberOf(record.createdAt, 'createdAt'),
    specification: record.specification,
    // fromEntries defines own properties: a parameter named __proto__ stays a parameter.
    parameters: Object.fromEntries(
      record.parameters.map(p => [p.name, floatsOfBytes(p.values, `parameters.${p.name}`)]),
    ),
    statistics: floatsOfBytes(record.statistics, 'statistics'),
    segments: record.segments.map(segment => ({ id: segment.id, since: segment.since })),
    ledger: record.ledger.map(entry => ({
      partition: entry.partition,
      next: numberOf(entry.next, 'ledger.next'),
      events: entry.events,
      offsetsHash: uint64Of(entry.offsetsHash),
      ...(entry.skipped === 0n ? {} : { skipped: numberOf(entry.skipped, 'ledger.skipped') }),
    })),
    statisticsOffset: numberOf(record.statisticsOffset, 'statisticsOffset'),
    prequentialLogLikelihood: record.prequentialLogLikelihood,
    effectiveSampleSize: record.effectiveSampleSize,
    weight: record.weight,
    provisional: record.provisional,
    epoch: record.epoch,
    segmentsBorn: numberOf(record.segmentsBorn, 'segmentsBorn'),
    expectedLogLikelihood: record.expectedLogLikelihood,
    surprise: record.surprise,
    judgedWeight: record.judgedWeight,
  }),
)
