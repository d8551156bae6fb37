import { type Codec, createCodec } from './codec.ts'
import { longOf, numberOf, textOf, uint64Bytes, uint64Of } from './fields.ts'
import { bytesOfFloats, floatsOfBytes } from './little-endian.ts'
import type { StatisticsMessage } from './messages.ts'

interface AvroStatistics {
  model: string
  snapshotVersion: bigint
  partition: number
  from: bigint
  to: bigint
  events: bigint
  offsetsHash: Buffer
  weight: number
  logLikelihood: number
  statistics: Buffer
  squaredWeight: number
}

/** Topic `eddy.statistics.v1`. */
export const statisticsCodec: Codec<StatisticsMessage> = createCodec<StatisticsMessage, AvroStatistics>(
  'eddy.statistics.v1-value',
  message => ({
    model: textOf(message.model, 'model'),
    snapshotVersion: message.snapshotVersion,
    partition: message.partition,
    from: longOf(message.from, 'from'),
    to: longOf(message.to, 'to'),
    events: longOf(message.events, 'events'),
    offsetsHash: uint64Bytes(message.offsetsHash, 'offsetsHash'),
    weight: message.weight,
    logLikelihood: message.logLikelihood,
    statistics: bytesOfFloats(message.statistics),
    squaredWeight: message.squaredWeight,
  }),
  record => ({
    model: record.model,
    snapshotVersion: record.snapshotVersion,
    partition: record.partition,
    from: numberOf(record.from, 'from'),
    to: numberOf(record.to, 'to'),
    events: numberOf(record.events, 'events'),
    offsetsHash: uint64Of(record.offsetsHash),
    weight: record.weight,
    logLikelihood: record.logLikelihood,
    statistics: floatsOfBytes(record.statistics, 'statistics'),
    squaredWeight: record.squaredWeight,
  }),
)
