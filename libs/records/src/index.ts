export { type FeatureColumn, missingFeatures, numeralOf } from './feature-columns.ts'
export { InputError } from './input-error.ts'
export type { InputRecord } from './input-record.ts'
export type { OpenInput } from './open-input.ts'
export { type ColumnPlan, isIdName, type PlannedColumn, planColumns } from './plan-columns.ts'
export { type EventLine, readEventLines } from './read-event-lines.ts'
export {
  collectFeatures,
  type FeatureMatrix,
  type FeatureOptions,
  type FeatureRows,
  type FeatureStream,
  streamFeatures,
} from './read-features.ts'
export { type InputFormat, inputFormats, readRecords } from './records.ts'
export { isBlank, linesOf } from './split-lines.ts'
