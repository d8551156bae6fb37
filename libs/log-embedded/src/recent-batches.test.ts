import { PackedRecords, packRecords } from '@eddy/log/adapter'
import { expect, test } from 'vitest'
import type { PartitionState, StoredBatch } from './partition-state.ts'
import { RecentBatches } from './recent-batches.ts'

const emptyPartition = (): PartitionState => ({
  ...{ id: 1, topic: 't', number: 0, start: 0, next: 0, placed: 0, losses: [] },
  ...{ bytes: 0, compacted: 0, dirty: 0 },
})

/** Places one record of so many bytes. */
function place(recent: RecentBatches, partition: PartitionState, size: number): StoredBatch {
  const base = partition.placed
  const payload = packRecords(base, [{ key: null, value: Buffer.alloc(size) }])
  const batch = { records: new PackedRecords(base, payload), next: base + 1, newest: 0, tombstonesUntil: null }
  recent.add(partition, batch)
  partition.placed = batch.next
  return batch
}

test('knows the newest batches from where it began, and leaves what is older to the file', () => {
  const recent = new RecentBatches()
  const partition = { ...emptyPartition(), next: 5, placed: 5 }
  const [first, second] = [place(recent, partition, 1), place(recent, partition, 1)]
  expect([4, 5, 6, 7].map(offset => recent.batchFrom(partition, offset))).toEqual([undefined, first, second, undefined])
})

test('drops the oldest beyond its bound, but never what is not durable', () => {
  const recent = new RecentBatches()
  const partition = emptyPartition()
  const mebibyte = 1 << 20
  const batches = Array.from({ length: 60 }, () => place(recent, partition, mebibyte))
  expect(recent.batchFrom(partition, 0)).toBe(batches[0])
  partition.next = 50
  batches.push(place(recent, partition, mebibyte))
  expect(recent.batchFrom(partition, 20)).toBe(undefined)
  expect(recent.batchFrom(partition, 35)).toBe(batches[35])
  expect(recent.batchFrom(partition, 60)).toBe(batches[60])
})

test('forgets what is durable, keeps the rest; loses what was not stored', () => {
  const recent = new RecentBatches()
  const partition = emptyPartition()
  const batches = Array.from({ length: 4 }, () => place(recent, partition, 1))
  partition.next = 2
  recent.forget(partition)
  expect([0, 1, 2, 3].map(offset => recent.batchFrom(partition, offset))).toEqual([
    ...[undefined, undefined],
    ...batches.slice(2),
  ])
  partition.next = 3
  partition.placed = 3
  recent.truncate(partition)
  expect(recent.batchFrom(partition, 3)).toBe(undefined)
  const again = place(recent, partition, 1)
  expect([2, 3].map(offset => recent.batchFrom(partition, offset))).toEqual([batches[2], again])
})
