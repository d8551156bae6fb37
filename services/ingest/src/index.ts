export type { FeatureRule } from './feature-rule.ts'
export { type IngestOptions, ingest } from './ingest.ts'
export { Refusal, type RefusalReason } from './refusal.ts'
export { longestCustomerId, toFeatureVector } from './validate.ts'
