import type { EraseOptions, PackedRecord, StoredRecord } from '@eddy/log'
import { packRecords } from '@eddy/log/adapter'
import { putNote } from './notes.ts'
import type { PartitionState } from './partition-state.ts'
import { replaceBatch, resized } from './statements.ts'
import type { Store } from './store.ts'

/** Longest that everybody else waits for records to be looked at, milliseconds. */
const SLICE_MS = 5

/**
 * Removes the records of a partition that match, a few milliseconds a step; their offsets become gaps. A batch that has none is not written.
 * @param removedBefore of other partitions, which the note counts too
 * @returns how many were removed
 */
export async function* erase(
  store: Store,
  partition: PartitionState,
  matches: (record: StoredRecord) => boolean,
  { before = [], note }: EraseOptions,
  removedBefore: number,
): AsyncGenerator<void, number> {
  let erased = 0
  let began = performance.now()
  const end = Math.min(partition.next, before[partition.number] ?? Infinity)
  for (let offset = partition.start; offset < end; ) {
    const batch = store.storedFrom(partition, offset)
    if (batch === undefined) break
    offset = batch.next
    const kept: PackedRecord[] = []
    for (let i = 0; i < batch.records.count; i++) {
      const record = batch.records.recordAt(i)
      if (record.offset >= end || !matches(record)) kept.push(record)
      if (performance.now() - began < SLICE_MS) continue
      yield
      began = performance.now()
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
        replaceBatch(partition.id, { base, next, newest, tombstonesUntil, payload }),
        resized(partition.id, bytes),
        ...(note === undefined ? [] : [putNote(...note(removedBefore + erased))]),
      ])
      store.recent.forget(partition)
      partition.bytes += bytes
    }
    yield
    began = performance.now()
  }
  return erased
}
