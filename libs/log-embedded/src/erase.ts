import type { PackedRecord, StoredRecord } from '@eddy/log'
import { packRecords } from '@eddy/log/adapter'
import { deleteBatches, insertBatch, resized } from './statements.ts'
import type { PartitionState, Store } from './store.ts'

/**
 * Removes the records of a partition that match, a batch a step; their offsets become gaps.
 * @returns how many were removed
 */
export async function* erase(
  store: Store,
  partition: PartitionState,
  matches: (record: StoredRecord) => boolean,
): AsyncGenerator<void, number> {
  let erased = 0
  for (let offset = partition.start; offset < partition.next; ) {
    const batch = store.batchFrom(partition, offset)
    if (batch === undefined) break
    offset = batch.next
    const kept: PackedRecord[] = []
    for (let i = 0; i < batch.records.count; i++) {
      const record = batch.records.recordAt(i)
      if (!matches(record)) kept.push(record)
    }
    const removed = batch.records.count - kept.length
    if (removed > 0) {
      erased += removed
      const offsets = kept.map(({ offset }) => offset)
      const payload = kept.length > 0 ? packRecords(offsets[0]!, kept, { offsets }) : undefined
      const bytes = (payload?.length ?? 0) - batch.records.bytes.length
      const statements = [deleteBatches(partition.id, batch.next - 1, batch.next), resized(partition.id, bytes)]
      if (payload !== undefined) {
        const newest = Math.max(...kept.map(({ timestamp }) => timestamp))
        const { next, tombstonesUntil } = batch
        const rest = { base: kept[0]!.offset, next, newest, tombstonesUntil, payload }
        statements.push(insertBatch(partition.id, rest))
      }
      await store.writer.transaction(statements)
      store.recent.forget(partition)
      partition.bytes += bytes
    }
    yield
  }
  return erased
}
