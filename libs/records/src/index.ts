export { type FeatureColumn, type FeatureType, missingFeatures, numeralOf } from './feature-columns.ts'
export { InputError } from './input-error.ts'
export type { OpenInput } from './open-input.ts'
export { type ColumnPlan, isIdName, type PlannedColumn, planColumns, plannedFeatures } from './plan-columns.ts'
export { type EventLine, type EventLineOptions, readEventLines } from './read-event-lines.ts'
export { type EventOptions, type InputEvent, type ReadEvent, readEvents } from './read-events.ts'
export {
  collectFeatures,
  type FeatureMatrix,
  type FeatureOptions,
  type FeatureRows,
  type FeatureStream,
  streamFeatures,
} from './read-features.ts'
export { type InputFormat, type InputRecord, readRecords } from './records.ts'
export { isBlank, linesOf } from './split-lines.ts'
