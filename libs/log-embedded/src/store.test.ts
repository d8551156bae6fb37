import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { LogError } from '@eddy/log'
import { Reader, readAll, record, records } from '@eddy/log/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openEmbeddedLog } from './embedded-log.ts'

let directory: string
const topics = { t: { partitions: 1, cleanup: 'delete' as const } }
const module = new URL('./embedded-log.ts', import.meta.url).href

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'eddy-log-'))
})
afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

/** Another process that runs `body` with the module's exports; its first line of output is awaited. */
async function otherProcess(body: string) {
  const code = `import { openEmbeddedLog } from ${JSON.stringify(module)}
    const directory = ${JSON.stringify(directory)}
    ${body}`
  const child = spawn(process.execPath, ['-C', 'source', '--input-type=module', '-e', code], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [line] = await once(child.stdout, 'data')
  return { child, line: String(line).trim() }
}

describe('writers and readers', () => {
  test('a second writing process is told who holds the log; kill −9 of the holder frees it', async () => {
    const { child } = await otherProcess(`openEmbeddedLog(directory); console.log('open'); setInterval(() => {}, 1e6)`)
    expect(() => openEmbeddedLog(directory)).toThrow(new RegExp(`one held by process ${child.pid} .*read-only`))
    const readers = [1, 2].map(() => openEmbeddedLog(directory, { readOnly: true }))
    for (const reader of readers) await reader.close()
    child.kill('SIGKILL')
    await once(child, 'exit')
    await openEmbeddedLog(directory).close()
  })

  test('a reading process follows live, and may not write', async () => {
    const log = openEmbeddedLog(directory)
    await log.ensureTopics(topics)
    await log.publish([{ topic: 't', records: records(3, 0) }])
    const { child, line } = await otherProcess(`
      const log = openEmbeddedLog(directory, { readOnly: true })
      const refused = await log.publish([]).then(() => 'published', error => error.name)
      console.log(refused)
      let seen = 0
      log.consume('t').subscribe(delivery => {
        seen += delivery.records.length
        delivery.ack()
        if (seen === 5) process.exit(0)
      })`)
    expect(line).toBe('LogError')
    await log.publish([{ topic: 't', records: records(2, 0) }])
    const [code] = await once(child, 'exit')
    expect(code).toBe(0)
    await log.close()
  })

  test('a reader sees topics made after it was opened, and survives the writer’s restart', async () => {
    const first = openEmbeddedLog(directory)
    await first.ensureTopics(topics)
    const reader = openEmbeddedLog(directory, { readOnly: true })
    const tail = new Reader(reader.consume('t'))
    await first.close()
    const second = openEmbeddedLog(directory)
    await second.ensureTopics({ later: { partitions: 2, cleanup: 'compact' } })
    await second.publish([{ topic: 't', records: [record('k', 'after restart', 0)] }])
    await tail.until(() => tail.values.length === 1)
    expect(await reader.offsets('later')).toHaveLength(2)
    await second.close()
    await reader.close()
  })
})

describe('what can be wrong with the file', () => {
  test('nothing to read', () => {
    expect(() => openEmbeddedLog(join(directory, 'none'), { readOnly: true })).toThrow(
      /expected a log to read, got none/,
    )
  })

  test('a directory that cannot be made', async () => {
    await writeFile(join(directory, 'file'), '')
    expect(() => openEmbeddedLog(join(directory, 'file', 'log'))).toThrow(LogError)
  })

  test('not a database, and another program’s database', async () => {
    await writeFile(join(directory, 'log.sqlite'), 'x'.repeat(50_000))
    expect(() => openEmbeddedLog(directory)).toThrow(/got another kind of file/)
    await rm(join(directory, 'log.sqlite'))
    new DatabaseSync(join(directory, 'log.sqlite')).exec('CREATE TABLE other (a)')
    expect(() => openEmbeddedLog(directory)).toThrow(/got another SQLite database/)
  })

  test('another version of the format', async () => {
    await openEmbeddedLog(directory).close()
    const database = new DatabaseSync(join(directory, 'log.sqlite'))
    database.exec('PRAGMA user_version = 99')
    database.close()
    expect(() => openEmbeddedLog(directory)).toThrow(/expected format 3, got 99/)
  })

  test('a damaged record batch errors the stream, naming the place', async () => {
    const log = openEmbeddedLog(directory)
    await log.ensureTopics(topics)
    await log.publish([{ topic: 't', records: [record('k', 'A rather recognisable value', 0)] }])
    await log.close()
    const file = join(directory, 'log.sqlite')
    const bytes = await readFile(file)
    bytes[bytes.indexOf('A rather recognisable value') + 2]! ^= 1
    await writeFile(file, bytes)
    const again = openEmbeddedLog(directory)
    const error = await new Reader(again.consume('t')).failure()
    expect(error).toBeInstanceOf(LogError)
    expect(String(error)).toMatch(/offset 0 of t\/0, got damaged bytes/)
    await again.close()
  })

  test('no room: a clear error, nothing acknowledged is lost, and it works again when there is room', async () => {
    let now = 0
    const log = openEmbeddedLog(directory, { maxBytes: 4 << 20, compress: false, clock: () => now })
    await log.ensureTopics({ t: { partitions: 1, cleanup: 'delete', retentionMs: 1000 } })
    const big = 'x'.repeat(300_000)
    let stored = 0
    const fill = async () => {
      for (;;) {
        await log.publish([{ topic: 't', records: [record(`${stored}`, big, 0)] }])
        stored++
      }
    }
    await expect(fill()).rejects.toThrow(/full disk or the size limit.*make room/)
    expect(stored).toBeGreaterThan(5)
    expect((await readAll(log, 't')).map(({ key }) => key)).toEqual(Array.from({ length: stored }, (_, i) => `${i}`))
    now = 10_000
    await log.maintain()
    await log.publish([{ topic: 't', records: [record('again', 'room', 0)] }])
    expect((await readAll(log, 't')).map(({ offset, key }) => [offset, key])).toEqual([[stored, 'again']])
    await log.close()
  })
})
