import { LogError, type OutgoingRecord, type TopicOptions } from './event-log.ts'
import { partitionOfKey } from './partition-of-key.ts'

/**
 * Where a record goes: the partition it names, else the one of its key.
 * @param topic names the record in an error, with `index`, its place in the publication
 * @throws LogError when it has no place, or cannot be stored there
 */
export function targetPartition(
  record: OutgoingRecord,
  partitions: number,
  cleanup: TopicOptions['cleanup'],
  topic: string,
  index: number,
): number {
  const { key, timestamp, partition } = record
  if (key === null && cleanup === 'compact')
    throw new LogError(`${topic}[${index}].key: expected bytes on a compacted topic, got null. Give the record a key.`)
  if (timestamp !== undefined && !Number.isFinite(timestamp))
    throw new LogError(
      `${topic}[${index}].timestamp: expected a finite number of milliseconds, got ${timestamp}. Leave it out for now.`,
    )
  if (partition === undefined) {
    if (key) return partitionOfKey(key, partitions)
    throw new LogError(
      `${topic}[${index}].partition: expected a partition for a record without a key, got none. Name one, or set a key.`,
    )
  }
  if (!Number.isInteger(partition) || partition < 0 || partition >= partitions)
    throw new LogError(
      `${topic}[${index}].partition: expected an integer from 0 to ${partitions - 1}, got ${partition}.`,
    )
  return partition
}
