import { type From, LogError, type PartitionOffsets } from '@eddy/log'

/**
 * The offset at which to begin reading a partition.
 * @param from where the subscriber wants to begin
 * @param range what the partition holds
 * @param position the group's, asked for where `from` names no offset
 * @throws {LogError} if the partition does not reach to the offset
 */
export async function startOffset(
  topic: string,
  from: From,
  { partition, start, end }: PartitionOffsets,
  position: () => Promise<number | undefined>,
): Promise<number> {
  if (from === 'earliest') return start
  if (from === 'latest') return end
  const named = from === 'position' ? undefined : from.get(partition)
  const offset = named ?? (await position())
  if (offset === undefined) return start
  if (offset < start || offset > end)
    throw new LogError(
      `offset of ${topic}/${partition}: expected ${start} to ${end}, got ${offset}. ` +
        'Retention dropped what was to be read next, or the log is another one: start with --on-gap skip (log.onGap) to go on after what is gone, or put the log back.',
    )
  return offset
}
