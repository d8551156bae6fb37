import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Reader, records } from '@eddy/log/testing'
import { expect, test, vi } from 'vitest'
import { openEmbeddedLog } from './embedded-log.ts'

test('a member that came and went during a delivery changes nothing for the one that was there', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'eddy-group-'))
  const log = openEmbeddedLog(directory)
  await log.ensureTopics({ t: { partitions: 2, cleanup: 'delete' } })
  await log.publish([0, 1].map(p => ({ topic: 't', records: records(6, p) })))
  const told: (readonly number[])[] = []
  const onAssignment = (partitions: readonly number[]): void => {
    told.push(partitions)
  }
  const first = new Reader(log.consume('t', { group: 'g', maxRecords: 3, onAssignment }), () => {})
  await first.until(() => first.deliveries.length === 2)
  const other = new Reader(log.consume('t', { group: 'g' }), () => {})
  // It is to have one of the two, once the delivery of that is done.
  await vi.waitFor(() => expect(told.at(-1)).toHaveLength(1))
  other.stop()
  await vi.waitFor(() => expect(told.at(-1)).toHaveLength(2))
  // Nothing is settled: read again from the group's position, these would come twice.
  for (const delivery of first.deliveries) delivery.ack()
  await first.until(() => first.read.length >= 12)
  for (const partition of [0, 1]) expect(first.valuesOf(partition)).toEqual(['v0', 'v1', 'v2', 'v3', 'v4', 'v5'])
  expect(other.read).toEqual([])
  await log.close()
  await rm(directory, { recursive: true })
})
