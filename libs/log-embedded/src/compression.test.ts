import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { packRecords, seal } from '@eddy/log/adapter'
import { readAll } from '@eddy/log/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { compressed, decompressed } from './compression.ts'
import { openEmbeddedLog, verifyLog } from './index.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'eddy-compression-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const topics = { t: { partitions: 1, cleanup: 'delete' } } as const
const file = (): string => join(folder, 'log.sqlite')
const record = (i: number) => ({
  key: Buffer.from(`c${i % 7}`),
  value: Buffer.from(JSON.stringify({ customer: `c${i % 7}`, features: { recency: i, monetary: 2 * i } })),
  timestamp: 1,
  partition: 0,
})

async function publish(from: number, to: number, options: Parameters<typeof openEmbeddedLog>[1] = {}): Promise<void> {
  const log = openEmbeddedLog(folder, options)
  await log.ensureTopics(topics)
  const records = Array.from({ length: to - from }, (_, i) => record(from + i))
  await log.publish([{ topic: 't', records }])
  await log.close()
}
async function values(): Promise<readonly unknown[]> {
  const log = openEmbeddedLog(folder, { readOnly: true })
  try {
    return (await readAll(log, 't')).map(({ value }) => value)
  } finally {
    await log.close()
  }
}
const expected = (to: number) => Array.from({ length: to }, (_, i) => record(i).value.toString())
/** Stored and packed bytes of each batch. */
const lengths = () => {
  const database = new DatabaseSync(file())
  const stored = database.prepare('SELECT payload FROM batch ORDER BY next').all() as { payload: Uint8Array }[]
  database.close()
  return stored.map(({ payload }) => [payload.length, decompressed(payload).length] as const)
}

describe('a stored batch', () => {
  it('is what was packed, in a third of its bytes, or as it is where that saves nothing', () => {
    const packed = packRecords(
      0,
      Array.from({ length: 500 }, (_, i) => record(i)),
    )
    const stored = compressed(packed)
    expect(stored.length).toBeLessThan(packed.length / 3)
    expect(Buffer.compare(decompressed(seal(stored)).subarray(4), packed.subarray(4))).toBe(0)
    const one = packRecords(0, [record(1)])
    const noise = packRecords(0, [{ key: null, value: randomBytes(5000) }])
    for (const packed of [one, noise, packRecords(0, [])]) {
      expect(compressed(packed)).toBe(packed)
      expect(decompressed(packed)).toBe(packed)
    }
  })
})

describe('a log', () => {
  it('that was not compressed, or of the format before, is read, and goes on compressed', async () => {
    await publish(0, 300, { compress: false })
    const database = new DatabaseSync(file())
    database.exec('PRAGMA user_version = 2')
    database.close()
    expect(await values()).toEqual(expected(300))
    await publish(300, 600)
    await publish(600, 900, { compress: false })
    expect(await values()).toEqual(expected(900))
    const batches = lengths()
    expect(batches.map(([stored, packed]) => stored === packed)).toEqual([true, false, true])
    expect(await verifyLog(folder)).toMatchObject([{ batches: 3, records: 900 }])
  })

  it('counts what it holds before it is compressed, and retention goes by that', async () => {
    await publish(0, 400)
    await publish(400, 800)
    const packed = lengths().map(([, packed]) => packed)
    const sum = packed.reduce((a, b) => a + b)
    const database = new DatabaseSync(file())
    const bytes = () => database.prepare('SELECT start, bytes FROM partition').get()
    expect(bytes()).toEqual({ start: 0, bytes: sum })
    const log = openEmbeddedLog(folder)
    await log.ensureTopics({ t: { ...topics.t, retentionBytes: packed[1]! } }, { alter: true })
    await log.maintain()
    await log.close()
    expect(bytes()).toEqual({ start: 400, bytes: packed[1] })
    database.close()
  })

  it('is erased from and compacted like another', async () => {
    await publish(0, 700)
    const log = openEmbeddedLog(folder)
    expect(await log.capabilities.erasure.erase('t', ({ key }) => Buffer.from(key!).toString() === 'c3')).toBe(100)
    await log.ensureTopics({ table: { partitions: 1, cleanup: 'compact' } })
    await log.publish([{ topic: 'table', records: Array.from({ length: 2000 }, (_, i) => record(i)) }])
    await log.maintain()
    expect((await readAll(log, 'table')).map(({ offset }) => offset)).toEqual(
      Array.from({ length: 7 }, (_, i) => 1993 + i),
    )
    await log.close()
    expect(await values()).toHaveLength(600)
    await verifyLog(folder)
  })

  it('notices each changed byte of a compressed batch', async () => {
    await publish(0, 200)
    const database = new DatabaseSync(file())
    const { payload } = database.prepare('SELECT payload FROM batch').get() as { payload: Uint8Array }
    const write = database.prepare('UPDATE batch SET payload = ?')
    for (let at = 0; at < payload.length; at += 1 + Math.floor(payload.length / 60)) {
      const flipped = payload.slice()
      flipped[at]! ^= 1 << (at % 8)
      write.run(flipped)
      await expect(verifyLog(folder), `byte ${at}`).rejects.toThrow(/expected an intact batch/)
    }
    write.run(payload)
    database.close()
    await verifyLog(folder)
  })
})
