export { asyncValues } from './async-values.ts'
export type {
  Capabilities,
  ConsumeOptions,
  Delivery,
  Dropped,
  EnsureOptions,
  EraseOptions,
  Erasure,
  EventLog,
  From,
  Note,
  OutgoingRecord,
  PartitionOffsets,
  Publication,
  PublishOptions,
  Remembered,
  Room,
  StoredRecord,
  TopicOptions,
  TopicOutcome,
  Upkeep,
} from './event-log.ts'
export { LogError, type LogErrorCode } from './event-log.ts'
export { failpoint } from './failpoint.ts'
export { logWith } from './log-with.ts'
export { PackedRecord } from './packed-records.ts'

export { type Gap, pastGaps } from './past-gaps.ts'
export { positionFromOutput } from './position-from-output.ts'
export { PackedPublication, RecordPacker } from './record-packer.ts'
export { sameLog } from './same-log.ts'
export { ValueSpan } from './value-span.ts'
