import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Delivery } from '@eddy/log'
import { readAll, record, records } from '@eddy/log/testing'
import { lastValueFrom, tap, toArray } from 'rxjs'
import { afterAll, expect, it, vi } from 'vitest'
import { openEmbeddedLog } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'eddy-erase-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('leaves a gap where a record was, and nothing of it in the files', async () => {
  // What is compressed would not be found in the files.
  const log = openEmbeddedLog(folder, { compress: false })
  const { erasure } = log.capabilities
  await log.ensureTopics({ t: { partitions: 2, cleanup: 'delete' } })
  const records = Array.from({ length: 3000 }, (_, n) => ({
    key: Buffer.from(n % 3 === 0 ? 'customer-canary' : `c${n}`),
    value: Buffer.from(`${n % 3 === 0 ? 'value-canary' : 'v'} ${n}`),
    headers: { h: Buffer.from(`${n}`) },
    partition: n % 2,
  }))
  for (let n = 0; n < 3000; n += 100) await log.publish([{ topic: 't', records: records.slice(n, n + 100) }])
  const before = await log.offsets('t')
  const isTheirs = ({ key }: { key: Uint8Array | null }) => Buffer.from(key ?? []).toString() === 'customer-canary'
  expect(await erasure.erase('t', isTheirs)).toBe(1000)
  expect(await erasure.erase('t', isTheirs)).toBe(0)
  const deliveries = await lastValueFrom(
    log.consume('t', { untilEnd: true }).pipe(
      tap(delivery => delivery.ack()),
      toArray(),
    ),
  )
  const left = deliveries.flatMap(({ partition, records }) =>
    records.map(({ offset, value, headers }) => ({
      n: 2 * offset + partition,
      value: Buffer.from(value as Uint8Array).toString(),
      header: Buffer.from(headers.h as Uint8Array).toString(),
    })),
  )
  expect(left.sort((a, b) => a.n - b.n)).toEqual(
    records.flatMap((_, n) => (n % 3 === 0 ? [] : [{ n, value: `v ${n}`, header: `${n}` }])),
  )
  expect((await log.offsets('t')).map(({ end }) => end)).toEqual(before.map(({ end }) => end))
  await erasure.scrub()
  for (const name of readdirSync(folder)) expect(readFileSync(join(folder, name)).includes('canary'), name).toBe(false)
  await log.close()
})

it('makes room within the retention: what is erased takes nothing else along', async () => {
  const log = openEmbeddedLog(join(folder, 'room'))
  await log.ensureTopics({ t: { partitions: 1, cleanup: 'delete', retentionBytes: 60_000 } })
  const sized = (n: number) => ({ key: Buffer.from(`${n % 2}`), value: Buffer.alloc(1000), partition: 0 })
  const append = async (count: number) => {
    for (let n = 0; n < count; n++) await log.publish([{ topic: 't', records: [sized(n)] }])
  }
  await append(50)
  const isOdd = ({ key }: { key: Uint8Array | null }) => Buffer.from(key ?? []).toString() === '1'
  expect(await log.capabilities.erasure.erase('t', isOdd)).toBe(25)
  // 25,000 bytes are left, and 30,000 more fit beside them.
  await append(30)
  await log.maintain()
  expect(await log.offsets('t')).toEqual([{ partition: 0, start: 0, end: 80 }])
  await log.close()
})

/** The marks that the files of a directory hold. */
function marksIn(directory: string): Set<string> {
  const texts = readdirSync(directory).map(name => readFileSync(join(directory, name)).toString('latin1'))
  return new Set(texts.flatMap(text => text.match(/<\d\.\d+>|\[\d\.\d+\]/g) ?? []))
}

/** Files that this process has open and that have no name any more. */
const unnamed = (): string[] =>
  readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)].filter(path => path.endsWith('(deleted)'))
    } catch {
      return []
    }
  })

it('leaves nothing in the files of what was erased, what retention dropped, and what was compacted away', async () => {
  const directory = join(folder, 'gone')
  const log = openEmbeddedLog(directory, {
    compress: false,
    needed: (topic, partition) => (topic === 't' ? kept[partition]! : Infinity),
  })
  const kept = [0, 0, 0, 0]
  await log.ensureTopics({
    t: { partitions: 4, cleanup: 'delete', retentionBytes: 1 },
    table: { partitions: 1, cleanup: 'compact' },
  })
  const { erasure } = log.capabilities
  for (let round = 0; round < 5; round++) {
    const publish = (n: number) => {
      const mark = `<${round}.${n}>`
      const key = Buffer.from(n % 5 === 0 ? 'theirs' : `${n}`)
      const value = Buffer.from(mark.repeat(1 + ((((n * 7919) % 97) * n) % 900)))
      const table = { key: Buffer.from(`${n % 9}`), value: Buffer.from(`[${round}.${n}]`), partition: 0 }
      return log.publish([
        { topic: 't', records: [{ key, value, partition: n % 4 }] },
        { topic: 'table', records: [table] },
      ])
    }
    for (let n = 0; n < 500; n += 20) await Promise.all(Array.from({ length: 20 }, (_, i) => publish(n + i)))
    await erasure.erase('t', ({ key }) => Buffer.from(key!).toString() === 'theirs')
    for (const { partition, end } of await log.offsets('t')) kept[partition] = round < 4 ? end - 30 : end
    await log.maintain()
  }
  // What is left of t is the last batch of each partition, if any.
  const left = new Set<string>()
  for (const { value } of await readAll(log, 't')) left.add(/<.*?>/.exec(value as string)![0])
  for (const { value } of await readAll(log, 'table')) left.add(value as string)
  expect(left.size).toBeLessThan(50)
  expect(marksIn(directory)).toEqual(left)
  await log.close()
  expect(marksIn(directory)).toEqual(left)
})

it('writes nothing where there is nothing to erase', async () => {
  const directory = join(folder, 'nothing')
  const log = openEmbeddedLog(directory)
  await log.ensureTopics({ t: { partitions: 1, cleanup: 'delete' } })
  for (let n = 0; n < 20; n++) await log.publish([{ topic: 't', records: [record(`${n % 10}`, `${n}`, 0)] }])
  const { erasure } = log.capabilities
  await erasure.scrub()
  const before = readFileSync(join(directory, 'log.sqlite'))
  const times = () => ['log.sqlite', 'log.sqlite-wal'].map(name => statSync(join(directory, name)).mtimeMs)
  const written = times()
  expect(await erasure.erase('t', () => false)).toBe(0)
  expect(times()).toEqual(written)
  expect(readFileSync(join(directory, 'log.sqlite')).equals(before)).toBe(true)
  // Of twenty batches, those two are rewritten that hold one.
  const page = 8192 + 24
  await erasure.erase('t', ({ key }) => Buffer.from(key!).toString() === '7')
  expect(statSync(join(directory, 'log.sqlite-wal')).size).toBeLessThanOrEqual(32 + 4 * page)
  await log.close()
})

it('hands out nothing that was erased, also of a batch that a consumer is in the middle of', async () => {
  const log = openEmbeddedLog(join(folder, 'middle'))
  await log.ensureTopics({ t: { partitions: 1, cleanup: 'delete' } })
  await log.publish([{ topic: 't', records: records(10, 0) }])
  const handed: Delivery[] = []
  const reading = log.consume('t', { maxRecords: 4 }).subscribe(delivery => handed.push(delivery))
  await vi.waitFor(() => expect(handed).toHaveLength(1))
  await log.capabilities.erasure.erase('t', ({ offset }) => offset === 5)
  handed[0]!.ack()
  await vi.waitFor(() => expect(handed).toHaveLength(2))
  expect(handed[1]!.records.map(({ offset }) => offset)).toEqual([4, 6, 7, 8])
  reading.unsubscribe()
  await log.close()
})

it.runIf(process.platform === 'linux')('keeps temporary files in its own directory when it is rewritten', async () => {
  const directory = join(folder, "it's")
  // Compressed it would be rewritten in less than a turn.
  const log = openEmbeddedLog(directory, { compress: false })
  await log.ensureTopics({ t: { partitions: 1, cleanup: 'delete' } })
  const record = { key: null, value: Buffer.alloc(1 << 20, 'x'), partition: 0 }
  for (let n = 0; n < 30; n++) await log.publish([{ topic: 't', records: [record] }])
  let done = false
  const shrinking = log.shrink().finally(() => {
    done = true
  })
  const seen = new Set<string>()
  while (!done) {
    for (const path of unnamed()) seen.add(path)
    await new Promise(resolve => setImmediate(resolve))
  }
  await shrinking
  const own = [...seen].filter(path => path.startsWith(directory))
  expect(own).not.toEqual([])
  expect([...seen].filter(path => path.includes('etilqs') && !path.startsWith(directory))).toEqual([])
  await log.close()
})
