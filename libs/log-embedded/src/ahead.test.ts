import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Reader, readAll, record, records } from '@eddy/log/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EmbeddedLog, type EmbeddedLogOptions, openEmbeddedLog } from './embedded-log.ts'
import { inTurn } from './turns.ts'

let directory: string
let log: EmbeddedLog
const topic = { partitions: 1, cleanup: 'delete' } as const

async function open(options: EmbeddedLogOptions = {}): Promise<void> {
  log = openEmbeddedLog(directory, options)
  await log.ensureTopics({ input: topic, output: topic })
}

/** Keeps the disk from the log until released. */
function holdWrites(): () => void {
  const database = new DatabaseSync(join(directory, 'log.sqlite'))
  database.exec('BEGIN IMMEDIATE')
  return () => {
    database.exec('ROLLBACK')
    database.close()
  }
}

/** Some turns of the event loop, in which what could happen would have. */
async function turns(): Promise<void> {
  for (let n = 0; n < 5; n++) await new Promise(resolve => setImmediate(resolve))
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'eddy-log-'))
})
afterEach(async () => {
  await log.close()
  await rm(directory, { recursive: true })
})

test('who may run ahead is handed records before they are durable; nobody else is', async () => {
  await open()
  const ahead = new Reader(log.consume('input', { ahead: true }))
  const behind = new Reader(log.consume('input'))
  const release = holdWrites()
  const published = log.publish([{ topic: 'input', records: records(3, 0) }])
  await ahead.until(() => ahead.read.length === 3)
  expect(ahead.deliveries[0]!.endOffset).toBe(3)
  await turns()
  expect(behind.read).toEqual([])
  expect(await log.offsets('input')).toEqual([{ partition: 0, start: 0, end: 0 }])
  release()
  expect(await published).toEqual([[0, 1, 2]])
  await behind.until(() => behind.read.length === 3)
  expect(ahead.read).toEqual(behind.read)
})

test('when records cannot be stored, nothing that rests on them is, and who was handed them is told', async () => {
  await open({ maxBytes: 1 << 20, compress: false })
  await log.publish([{ topic: 'input', records: records(2, 0, 'kept') }])
  const ahead = new Reader(log.consume('input', { group: 'g', ahead: true }))
  const idle = new Reader(log.consume('output', { ahead: true }))
  await ahead.until(() => ahead.read.length === 2)
  const release = holdWrites()
  const lost = log.publish([{ topic: 'input', records: [record('k', 'x'.repeat(2 << 20), 0)] }])
  await ahead.until(() => ahead.read.length === 3)
  const settles = { group: 'g', deliveries: [ahead.deliveries.at(-1)!] }
  // The transaction has begun: what follows waits for the next one.
  await turns()
  const after = log.publish([{ topic: 'output', records: records(1, 0) }])
  const outcome = Promise.allSettled([lost, after])
  release()
  expect((await outcome).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await expect(lost).rejects.toThrow(/full disk or the size limit/)
  expect(String(await ahead.failure())).toMatch(/full disk or the size limit/)
  await expect(log.publish([], { settles })).rejects.toThrow(/could not be stored/)
  expect(await log.positions('input', 'g')).toEqual(new Map())
  expect(await log.publish([{ topic: 'input', records: records(1, 0, 'again') }])).toEqual([[2]])
  expect((await readAll(log, 'input')).map(({ value }) => value)).toEqual(['kept0', 'kept1', 'again0'])
  expect(await log.publish([{ topic: 'output', records: records(1, 0) }])).toEqual([[0]])
  await idle.until(() => idle.read.length === 1)
})

test('an heir begins where the one before it has settled, though that was not durable yet', async () => {
  await open()
  await log.publish([{ topic: 'input', records: records(4, 0) }])
  const first = new Reader(log.consume('input', { group: 'g', maxRecords: 2 }), () => {})
  await first.until(() => first.deliveries.length === 1)
  const release = holdWrites()
  const settled = log.publish([{ topic: 'output', records: records(2, 0) }], {
    settles: { group: 'g', deliveries: first.deliveries },
  })
  first.stop()
  const heir = new Reader(log.consume('input', { group: 'g' }))
  await turns()
  expect(heir.read).toEqual([])
  release()
  await settled
  await heir.until(() => heir.read.length === 2)
  expect(heir.values).toEqual(['v2', 'v3'])
})

test('a member that acknowledges before the disk has its work is handed no more than memory can hold', async () => {
  await open()
  const value = 'x'.repeat(100_000)
  for (let n = 0; n < 20; n++)
    await log.publish([{ topic: 'input', records: Array.from({ length: 10 }, () => record('k', value, 0)) }])
  const release = holdWrites()
  let relayed = 0
  const done = Promise.withResolvers<void>()
  log.consume('input', { group: 'g', maxRecords: 5 }).subscribe(async delivery => {
    relayed += delivery.records.length
    const copies = delivery.records.map(({ key, value }) => ({ key, value, partition: 0 }))
    const durable = log.publish([{ topic: 'output', records: copies }], {
      settles: { group: 'g', deliveries: [delivery] },
    })
    delivery.ack()
    await durable
    if ((await log.offsets('output'))[0]!.end === 200) done.resolve()
  })
  for (let seen = -1; seen !== relayed; await new Promise(resolve => setTimeout(resolve, 100))) seen = relayed
  expect(relayed).toBeGreaterThan(70)
  expect(relayed).toBeLessThan(100)
  release()
  await done.promise
  expect(await log.positions('input', 'g')).toEqual(new Map([[0, 200]]))
})

test('a position never says more than the offsets: both move when a transaction has ended', async () => {
  await open()
  const count = 3000
  await log.publish([{ topic: 'input', records: records(count, 0) }])
  log.consume('input', { group: 'g', maxRecords: 1 }).subscribe(delivery => {
    const copies = delivery.records.map(({ key, value }) => ({ key, value, partition: 0 }))
    void log.publish([{ topic: 'output', records: copies }], { settles: { group: 'g', deliveries: [delivery] } })
    delivery.ack()
  })
  for (let position = 0; position < count; await new Promise(resolve => setImmediate(resolve))) {
    position = (await log.positions('input', 'g')).get(0) ?? 0
    expect((await log.offsets('output'))[0]!.end).toBe(position)
  }
})

test('what is erased or compacted meanwhile keeps what is not durable yet', async () => {
  await open()
  await log.ensureTopics({ table: { partitions: 1, cleanup: 'compact' } })
  for (let n = 0; n < 5; n++) await log.publish([{ topic: 'table', records: [record('k', `${n}`), record('x', 'x')] }])
  const ahead = new Reader(log.consume('table', { ahead: true }), () => {})
  await ahead.until(() => ahead.deliveries.length === 1)
  const release = holdWrites()
  const erased = log.capabilities.erasure.erase('table', ({ key }) => Buffer.from(key!).toString() === 'x')
  const published = log.publish([{ topic: 'table', records: [record('k', 'newest')] }])
  release()
  await published
  const again = log.publish([{ topic: 'table', records: [record('k', 'even newer')] }])
  expect(await erased).toBe(5)
  await again
  await log.maintain()
  ahead.deliveries[0]!.ack()
  expect((await readAll(log, 'table')).map(({ value }) => value)).toEqual(['even newer'])
})

test('publications become durable also where the event loop is never without other work', async ({ signal }) => {
  await open()
  let busy = true
  const work = (): void => {
    if (busy && !signal.aborted) inTurn(work)
  }
  work()
  try {
    for (let n = 0; n < 3; n++) expect(await log.publish([{ topic: 'input', records: records(1, 0) }])).toEqual([[n]])
  } finally {
    busy = false
  }
})
