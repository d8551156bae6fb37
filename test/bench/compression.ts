// What compressing the embedded log costs: node -C source test/bench/compression.ts [records] [rounds]
// Publishes and reads JSON events in turns, compressed and not, in one process; prints medians and their ratio.
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedLog } from '@eddy/log-embedded'
import { lastValueFrom, tap } from 'rxjs'

const total = Number(process.argv[2] ?? 200_000)
const rounds = Number(process.argv[3] ?? 5)
const perPublication = 1000
const records = Array.from({ length: total }, (_, i) => {
  const customer = `c${(i * 7919) % 20_000}`
  const features = { recency: (i * 31) % 977, monetary: ((i * 17) % 9973) / 100 }
  return { key: Buffer.from(customer), value: Buffer.from(JSON.stringify({ customer, features })), partition: 0 }
})

async function round(compress: boolean) {
  const directory = mkdtempSync(join(tmpdir(), 'eddy-bench-'))
  const writing = openEmbeddedLog(directory, { compress })
  await writing.ensureTopics({ t: { partitions: 1, cleanup: 'delete' } })
  const before = process.cpuUsage()
  let start = performance.now()
  // Two under way: the log has the next transaction while the disk has one.
  let last: Promise<unknown> = Promise.resolve()
  for (let i = 0; i < total; i += perPublication) {
    const published = writing.publish([{ topic: 't', records: records.slice(i, i + perPublication) }])
    await last
    last = published
  }
  await last
  const publish = (performance.now() - start) / total
  const { user, system } = process.cpuUsage(before)
  await writing.close()
  const reading = openEmbeddedLog(directory, { readOnly: true })
  start = performance.now()
  const deliveries = reading.consume('t', { untilEnd: true, maxRecords: 4096 })
  await lastValueFrom(deliveries.pipe(tap(delivery => delivery.ack())))
  const read = (performance.now() - start) / total
  await reading.close()
  const bytes = statSync(join(directory, 'log.sqlite')).size / total
  rmSync(directory, { recursive: true })
  return { publish: 1000 * publish, processor: (user + system) / total, read: 1000 * read, bytes }
}

type Figures = Awaited<ReturnType<typeof round>>
const figures: Record<'none' | 'zstd', Figures[]> = { none: [], zstd: [] }
await round(true)
for (let i = 0; i < rounds; i++) {
  figures.none.push(await round(false))
  figures.zstd.push(await round(true))
}
const median = (of: readonly Figures[], name: keyof Figures): number =>
  of.map(each => each[name]).sort((a, b) => a - b)[of.length >> 1]!
for (const [name, unit] of [
  ['publish', 'µs a record'],
  ['processor', 'µs of processor time a record published'],
  ['read', 'µs a record'],
  ['bytes', 'bytes a record'],
] as const) {
  const [none, zstd] = [median(figures.none, name), median(figures.zstd, name)]
  console.log(`${name}: ${none.toFixed(2)} → ${zstd.toFixed(2)} ${unit}, ${(zstd / none).toFixed(2)} times`)
}
