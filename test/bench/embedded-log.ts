// Speed of the embedded log: node -C source test/bench/embedded-log.ts [records] [bytes a value]
// Prints records/s for publishing (by records a publication) and for consuming, one partition, one process.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedLog } from '@eddy/log-embedded'
import { lastValueFrom, tap } from 'rxjs'

const total = Number(process.argv[2] ?? 400_000)
const size = Number(process.argv[3] ?? 160)
const directory = mkdtempSync(join(tmpdir(), 'eddy-bench-'))
const log = openEmbeddedLog(directory)
const value = new Uint8Array(size).fill(7)
const key = Buffer.from('customer-1234')
const rate = (count: number, since: number) => `${Math.round(count / (performance.now() - since)).toString()}k/s`

for (const perPublication of [100, 1_000, 4_096]) {
  const topic = `t${perPublication}`
  await log.ensureTopics({ [topic]: { partitions: 1, cleanup: 'delete' } })
  const records = Array.from({ length: perPublication }, () => ({ key, value, partition: 0 }))
  const publications = Math.floor(total / perPublication / (perPublication === 100 ? 4 : 1))
  let start = performance.now()
  for (let i = 0; i < publications; i++) await log.publish([{ topic, records }])
  const published = rate(publications * perPublication, start)
  start = performance.now()
  let bytes = 0
  await lastValueFrom(
    log.consume(topic, { untilEnd: true, maxRecords: 4_096 }).pipe(
      tap(delivery => {
        for (const record of delivery.records) bytes += record.value!.length
        delivery.ack()
      }),
    ),
  )
  if (bytes !== publications * perPublication * size) throw new Error(`read ${bytes} bytes`)
  console.log(
    `${perPublication} records a publication: published ${published}, consumed ${rate(publications * perPublication, start)}`,
  )
}

const topic = 'relay'
await log.ensureTopics({ [topic]: { partitions: 1, cleanup: 'delete' } })
let start = performance.now()
let relayed = 0
const input = log.consume('t1000', { group: 'relay', untilEnd: true })
await new Promise<void>((resolve, reject) => {
  input.subscribe({
    next: async delivery => {
      const records = delivery.records.map(({ key, value }) => ({ key, value, partition: 0 }))
      await log.publish([{ topic, records }], { settles: { group: 'relay', deliveries: [delivery] } })
      relayed += records.length
      delivery.ack()
    },
    complete: resolve,
    error: reject,
  })
})
console.log(`exactly-once relay: ${rate(relayed, start)}`)

start = performance.now()
const singles = 500
for (let i = 0; i < singles; i++) await log.publish([{ topic, records: [{ key, value, partition: 0 }] }])
console.log(`one record at a time, awaited: ${((performance.now() - start) / singles).toFixed(2)} ms each`)
await log.close()
rmSync(directory, { recursive: true })
