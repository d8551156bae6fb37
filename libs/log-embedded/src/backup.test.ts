import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lastValueFrom, tap, toArray } from 'rxjs'
import { afterAll, describe, expect, it } from 'vitest'
import { backUpLog, type EmbeddedLog, openEmbeddedLog, restoreLog } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'eddy-backup-'))
afterAll(() => rmSync(folder, { recursive: true }))
const topics = {
  t: { partitions: 1, cleanup: 'delete' },
  copy: { partitions: 1, cleanup: 'delete' },
} as const
const leafOfTable = 13
const record = (text: string) => ({ key: Buffer.from(text), value: Buffer.from(text), partition: 0 })

async function texts(log: EmbeddedLog, topic: string): Promise<string[]> {
  const deliveries = await lastValueFrom(
    log.consume(topic, { from: 'earliest', untilEnd: true }).pipe(
      tap(delivery => delivery.ack()),
      toArray(),
    ),
  )
  return deliveries.flatMap(({ records }) => records.map(({ value }) => Buffer.from(value as Uint8Array).toString()))
}

describe('backUpLog and restoreLog', () => {
  it('copies a consistent moment of a log that is being written to', async () => {
    const from = join(folder, 'busy')
    const log = openEmbeddedLog(from)
    await log.ensureTopics(topics)
    // A record and its copy are published together with the position: a moment in between must never be seen.
    let acknowledged = 0
    let go = true
    const writing = (async () => {
      for (let n = 0; go; n++) {
        const deliveries = [{ topic: 't', partition: 0, nextOffset: n + 1 }]
        await log.publish(
          [
            { topic: 't', records: [record(`${n}`.padStart(2000, '0'))] },
            { topic: 'copy', records: [record(`${n}`.padStart(2000, '0'))] },
          ],
          { settles: { group: 'g', deliveries } },
        )
        acknowledged = n + 1
      }
    })()
    while (acknowledged < 200) await new Promise(resolve => setImmediate(resolve))
    for (let round = 0; round < 5; round++) {
      const before = acknowledged
      await backUpLog(from, join(folder, `copy-${round}`))
      await restoreLog(join(folder, `copy-${round}`), join(folder, `restored-${round}`))
      const restored = openEmbeddedLog(join(folder, `restored-${round}`))
      const originals = await texts(restored, 't')
      expect(originals.length).toBeGreaterThanOrEqual(before)
      expect(originals.map(Number)).toEqual(originals.map((_, n) => n))
      expect(await texts(restored, 'copy')).toEqual(originals)
      expect((await restored.positions('t', 'g')).get(0)).toBe(originals.length)
      await restored.publish([{ topic: 't', records: [record('on')] }])
      await restored.close()
    }
    expect(acknowledged).toBeGreaterThan(200)
    go = false
    await writing
    await log.close()
  })

  it('refuses to overwrite a log, to copy none, and to restore a damaged copy or under a writer', async () => {
    const from = join(folder, 'small')
    const log = openEmbeddedLog(from)
    await log.ensureTopics(topics)
    await log.publish([{ topic: 't', records: Array.from({ length: 500 }, (_, n) => record(`${n}`.repeat(500))) }])
    await expect(backUpLog(from, from)).rejects.toThrow(/expected a directory without a log/)
    await expect(backUpLog(join(folder, 'none'), join(folder, 'x'))).rejects.toThrow(/expected a log to read/)
    await backUpLog(from, join(folder, 'good'))
    await expect(restoreLog(join(folder, 'good'), from)).rejects.toThrow(/expected a directory without a log/)
    await log.close()
    const bytes = readFileSync(join(folder, 'good', 'log.sqlite'))
    bytes.fill(0xff, 8192, 3 * 8192)
    writeFileSync(join(folder, 'good', 'log.sqlite'), bytes)
    await expect(restoreLog(join(folder, 'good'), join(folder, 'target'))).rejects.toThrow(/intact|damaged/)
    expect(() => openEmbeddedLog(join(folder, 'target'), { readOnly: true })).toThrow(/expected a log to read/)
  })

  it('sees damage deep inside, of which opening the log tells nothing', async () => {
    const from = join(folder, 'deep')
    const log = openEmbeddedLog(from)
    await log.ensureTopics(topics)
    for (let n = 0; n < 300; n++) await log.publish([{ topic: 't', records: [record(`${n}`.padStart(2000, '0'))] }])
    await backUpLog(from, join(folder, 'deep-copy'))
    await log.close()
    const file = join(folder, 'deep-copy', 'log.sqlite')
    const bytes = readFileSync(file)
    // The last page of a table in the file, by its first byte (SQLite's file format, section 1.6).
    const size = bytes.readUInt16BE(16)
    let page = bytes.length - size
    while (bytes[page] !== leafOfTable) page -= size
    bytes.fill(0xff, page, page + size)
    writeFileSync(file, bytes)
    await openEmbeddedLog(join(folder, 'deep-copy'), { readOnly: true }).close()
    await expect(restoreLog(join(folder, 'deep-copy'), join(folder, 'deep-restored'))).rejects.toThrow(
      /expected an intact database, got/,
    )
    expect(() => openEmbeddedLog(join(folder, 'deep-restored'), { readOnly: true })).toThrow(/expected a log to read/)
  })
})
