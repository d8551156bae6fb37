import { statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Dropped } from '@eddy/log'
import { Reader, readAll, record, records } from '@eddy/log/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedLog } from './embedded-log.ts'
import { compact } from './maintenance.ts'
import { Store } from './store.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'eddy-log-'))
})
afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

test('a tombstone can be seen for its time, then it goes', async () => {
  let now = 1_000
  const log = openEmbeddedLog(directory, { clock: () => now, tombstoneMs: 500 })
  await log.ensureTopics({ t: { partitions: 1, cleanup: 'compact' } })
  await log.publish([{ topic: 't', records: [record('a', '1'), record('b', '2'), record('a', null)] }])
  await log.maintain()
  expect((await readAll(log, 't')).map(({ key, value }) => [key, value])).toEqual([
    ['b', '2'],
    ['a', null],
  ])
  now += 400
  await log.maintain()
  expect(await readAll(log, 't')).toHaveLength(2)
  now += 200
  await log.maintain()
  expect((await readAll(log, 't')).map(({ key, value }) => [key, value])).toEqual([['b', '2']])
  expect(await log.offsets('t')).toEqual([{ partition: 0, start: 0, end: 3 }])
  await log.close()
})

test('compaction stopped after any of its steps leaves a readable log, and goes on where it was', async () => {
  const log = openEmbeddedLog(directory)
  await log.ensureTopics({ t: { partitions: 1, cleanup: 'compact' } })
  for (let i = 0; i < 200; i++) await log.publish([{ topic: 't', records: [record(`k${i % 7}`, `${i}`)] }])
  await log.close()
  const newest = Array.from({ length: 7 }, (_, i) => `${193 + i}`)
  for (let steps = 1; ; steps++) {
    const store = new Store(directory, { readOnly: false, clock: Date.now, maxBytes: undefined })
    const pass = compact(store, store.topic('t').partitions[0]!, 0, 1000)
    let done = false
    for (let step = 0; step < steps && !done; step++) done = (await pass.next()).done ?? false
    await store.close()
    const reopened = openEmbeddedLog(directory)
    expect((await readAll(reopened, 't')).map(({ value }) => value).slice(-7)).toEqual(newest)
    await reopened.close()
    if (done) break
  }
  const end = openEmbeddedLog(directory)
  expect((await readAll(end, 't')).map(({ value }) => value)).toEqual(newest)
  await end.close()
})

test('a consumer in the middle of what is compacted goes on without repeating or missing a key', async () => {
  const log = openEmbeddedLog(directory)
  await log.ensureTopics({ t: { partitions: 1, cleanup: 'compact' } })
  for (let i = 0; i < 50; i++) await log.publish([{ topic: 't', records: [record(`k${i % 10}`, `${i}`)] }])
  const reader = new Reader(log.consume('t', { maxRecords: 5 }), () => {})
  await reader.until(() => reader.deliveries.length === 1)
  await log.maintain()
  reader.deliveries[0]!.ack()
  await reader.until(() => reader.deliveries.length === 2)
  reader.deliveries[1]!.ack()
  await reader.until(() => reader.deliveries.length === 3)
  expect(reader.values.slice(5)).toEqual(Array.from({ length: 10 }, (_, i) => `${40 + i}`))
  await log.close()
})

test('retention by size keeps about that much, in whole batches', async () => {
  const log = openEmbeddedLog(directory)
  await log.ensureTopics({ t: { partitions: 1, cleanup: 'delete', retentionBytes: 50_000 } })
  for (let i = 0; i < 100; i++) await log.publish([{ topic: 't', records: [record('k', 'x'.repeat(2_000), 0)] }])
  await log.maintain()
  const [{ start, end } = { start: 0, end: 0 }] = await log.offsets('t')
  expect(end).toBe(100)
  expect((end - start) * 2_000).toBeGreaterThanOrEqual(46_000)
  expect((end - start) * 2_000).toBeLessThanOrEqual(52_000)
  await log.close()
})

test('what is needed is kept whatever the retention, and what is dropped is told', async () => {
  let now = 0
  let needed = 0
  const dropped: Dropped[] = []
  let commits = 0
  const log = openEmbeddedLog(directory, { clock: () => now, needed: () => needed })
  log.capabilities.upkeep.subscribe(each => {
    if (each.kind === 'dropped') dropped.push(each)
    else if (each.seconds > 0) commits++
  })
  await log.ensureTopics({ t: { partitions: 1, cleanup: 'delete', retentionMs: 100, retentionBytes: 1 } })
  for (let n = 0; n < 4; n++) await log.publish([{ topic: 't', records: records(2, 0) }])
  now = 10_000
  for (const [offset, start] of [
    [0, 0],
    [3, 2],
    [4, 4],
    [99, 8],
  ]) {
    needed = offset as number
    await log.maintain()
    expect(await log.offsets('t')).toEqual([{ partition: 0, start, end: 8 }])
  }
  expect(dropped.map(({ topic, partition, from, to }) => [topic, partition, from, to])).toEqual([
    ['t', 0, 0, 2],
    ['t', 0, 2, 4],
    ['t', 0, 4, 8],
  ])
  expect(dropped.every(({ bytes }) => bytes > 0)).toBe(true)
  expect(commits).toBe(4)
  const { taken, ahead } = await log.capabilities.room!()
  const file = join(directory, 'log.sqlite')
  expect(ahead).toBe(statSync(`${file}-wal`).size)
  expect(taken).toBeGreaterThanOrEqual(statSync(file).size)
  await log.close()
})

test('a clock that is years ahead drops nothing of today, also at the next start', async () => {
  const today = Date.UTC(2026, 0, 1)
  const week = 7 * 24 * 3_600_000
  let now = today
  const behind: number[] = []
  const open = async () => {
    const log = openEmbeddedLog(directory, { clock: () => now, onClockAhead: ms => behind.push(ms) })
    await log.ensureTopics({ t: { partitions: 1, cleanup: 'delete', retentionMs: week } })
    return log
  }
  const first = await open()
  await first.publish([{ topic: 't', records: records(2, 0) }])
  await first.maintain()
  now = Date.UTC(2036, 0, 1)
  await first.maintain()
  await first.close()
  for (let start = 0; start < 9; start++) {
    const log = await open()
    await log.publish([{ topic: 't', records: records(1, 0) }])
    await log.maintain()
    expect(await log.offsets('t')).toEqual([{ partition: 0, start: 0, end: 3 + start }])
    await log.close()
  }
  expect(behind).toHaveLength(10)
  expect(Math.min(...behind)).toBeGreaterThan(3600 * 24 * 3_600_000)
})

test('a consumer that retention overtakes is told, instead of skipping records', async () => {
  let now = 0
  const log = openEmbeddedLog(directory, { clock: () => now })
  await log.ensureTopics({ t: { partitions: 1, cleanup: 'delete', retentionMs: 100 } })
  await log.publish([{ topic: 't', records: records(4, 0) }])
  const reader = new Reader(log.consume('t', { maxRecords: 2 }), () => {})
  await reader.until(() => reader.deliveries.length === 1)
  now = 1_000
  await log.maintain()
  reader.deliveries[0]!.ack()
  expect(String(await reader.failure())).toMatch(/expected 4 to 4, got 2.*Retention/)
  await log.close()
})

test('runs by itself', async () => {
  const log = openEmbeddedLog(directory)
  await log.ensureTopics({ t: { partitions: 1, cleanup: 'compact' } })
  const value = 'x'.repeat(10_000)
  // At once: of what comes after a round there may be too little for another one.
  await Promise.all(Array.from({ length: 40 }, () => log.publish([{ topic: 't', records: [record('k', value)] }])))
  for (let left = 40; left > 1; left = (await readAll(log, 't')).length)
    await new Promise(resolve => setTimeout(resolve, 50))
  await log.close()
})
