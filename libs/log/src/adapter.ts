// What an implementation of the log is built with; who only uses a log needs none of it.
export { balance } from './balance.ts'
export { aligned, PackedRecords, packedSize, packRecords, seal } from './packed-records.ts'
export { targetPartition } from './target-partition.ts'
export { checkTopicOptions, outcomeOf } from './topic-options.ts'
