import type { PackedRecord, StoredRecord } from '@eddy/log'
import { packRecords } from '@eddy/log/adapter'
import type { PartitionState } from './partition-state.ts'
import { deleteBatches, insertBatch, resized } from './statements.ts'
import type { Store } from './store.ts'

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
    const batch = store.storedFrom(partition, offset)
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
      const { next, newest, tombstonesUntil } = batch
      // What is left covers the same offsets, perhaps with no record at all: nothing is missing there.
      const { base } = batch.records
      const payload = packRecords(base, kept, { offsets: kept.map(({ offset }) => offset) })
      const bytes = payload.length - batch.records.bytes.length
      await store.clear([
        deleteBatches(partition.id, next - 1, next),
        insertBatch(partition.id, { base, next, newest, tombstonesUntil, payload }),
        resized(partition.id, bytes),
      ])
      store.recent.forget(partition)
      partition.bytes += bytes
    }
    yield
  }
  return erased
}
