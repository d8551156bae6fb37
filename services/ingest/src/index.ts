export type { FeatureRule } from './feature-rule.ts'
export { type IngestOptions, ingest } from './ingest.ts'
export { Refusal, type RefusalReason } from './refusal.ts'
export { toFeatureVector } from './validate.ts'
