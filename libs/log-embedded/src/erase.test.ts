import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lastValueFrom, tap, toArray } from 'rxjs'
import { afterAll, expect, it } from 'vitest'
import { openEmbeddedLog } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'eddy-erase-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('leaves a gap where a record was, and nothing of it in the files', async () => {
  const log = openEmbeddedLog(folder)
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
  const record = (n: number) => ({ key: Buffer.from(`${n % 2}`), value: Buffer.alloc(1000), partition: 0 })
  const append = async (count: number) => {
    for (let n = 0; n < count; n++) await log.publish([{ topic: 't', records: [record(n)] }])
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
