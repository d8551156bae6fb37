export type {
  ConsumeOptions,
  Delivery,
  EventLog,
  From,
  OutgoingRecord,
  PartitionOffsets,
  Publication,
  PublishOptions,
  StoredRecord,
  TopicOptions,
} from './event-log.ts'
export { LogError } from './event-log.ts'
export { failpoint } from './failpoint.ts'
export { ANONYMOUS } from './kafka/options.ts'
export { partitionOfKey } from './partition-of-key.ts'
