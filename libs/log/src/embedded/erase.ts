import type { StoredRecord } from '../event-log.ts'
import { type PackedRecord, packBatch } from './record-batch.ts'
import type { PartitionState, Store } from './store.ts'

/**
 * Removes the records of a partition that match, a batch a step; their offsets become gaps.
 * @returns how many were removed
 */
export function* erase(
  store: Store,
  partition: PartitionState,
  matches: (record: StoredRecord) => boolean,
): Generator<void, number> {
  let erased = 0
  for (let offset = partition.start; ; ) {
    const batch = store.batchFrom(partition, offset)
    if (batch === undefined) return erased
    offset = batch.next
    const kept: PackedRecord[] = []
    for (let i = 0; i < batch.records.count; i++) {
      const record = batch.records.recordAt(i)
      if (!matches(record)) kept.push(record)
    }
    const removed = batch.records.count - kept.length
    if (removed > 0) {
      erased += removed
      const payload = kept.length > 0 ? packBatch(kept[0]!.offset, kept) : undefined
      const bytes = partition.bytes - batch.records.bytes.length + (payload?.length ?? 0)
      store.transaction(() => {
        store.statement('DELETE FROM batch WHERE partition = ? AND next = ?').run(partition.id, batch.next)
        if (payload !== undefined) {
          const newest = Math.max(...kept.map(({ timestamp }) => timestamp))
          const { next, tombstonesUntil } = batch
          store.insertBatch(partition, { base: kept[0]!.offset, next, newest, tombstonesUntil, payload })
        }
        store.savePartition({ ...partition, bytes })
      })
      partition.bytes = bytes
    }
    yield
  }
}
