export { type Erasure, Erasures } from './erasures.ts'
export { eventRecord } from './event-record.ts'

export { type Replayed, type ReplayOptions, replay } from './replay.ts'
export { rowReader } from './row-reader.ts'
export { ingestService } from './service.ts'
export type { InputTotals } from './tally.ts'
