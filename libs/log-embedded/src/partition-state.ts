import type { TopicOptions } from '@eddy/log'
import type { PackedRecords } from '@eddy/log/adapter'

/** A partition as the catalogue knows it. Only the writer changes it and, but for `placed`, only after the commit that made it true. */
export interface PartitionState {
  readonly id: number
  readonly topic: string
  readonly number: number
  start: number
  /** offset of the next record to become durable */
  next: number
  /** offset the next record will get: from `next` to here they have their place and are not durable yet */
  placed: number
  /** where each loss began: records from there on that had their place, and lost it */
  losses: readonly number[]
  bytes: number
  compacted: number
  dirty: number
}

/** A stored batch of a partition. */
export interface StoredBatch {
  readonly records: PackedRecords
  /** Offset after the batch: no other batch holds an offset below. */
  readonly next: number
  /** the newest of its timestamps */
  readonly newest: number
  readonly tombstonesUntil: number | null
}

export interface TopicState {
  readonly name: string
  options: TopicOptions
  readonly partitions: readonly PartitionState[]
}
