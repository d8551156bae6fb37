// A process for embedded-log.slow.test.ts, to be killed: relays input to output, and output to copy ahead of the disk; writes to stdout
// what was acknowledged.
import { writeSync } from 'node:fs'
import { openEmbeddedLog } from './embedded-log.ts'

const log = openEmbeddedLog(process.argv[2]!)
const topic = { partitions: 2, cleanup: 'delete' } as const
await log.ensureTopics({ input: topic, output: topic, copy: topic })

let number = 0
async function produce(): Promise<never> {
  for (;;) {
    const values = Array.from({ length: 1 + (number % 7) }, () => `${process.pid}-${number++}`)
    const partition = number % 2
    const records = values.map(value => ({ key: null, value: Buffer.from(value), partition }))
    const [offsets] = await log.publish([{ topic: 'input', records }])
    // Synchronous: what this line says is out before anything else happens.
    writeSync(1, values.map((value, i) => `input ${partition} ${offsets![i]} ${value}\n`).join(''))
  }
}

log.consume('input', { group: 'relay', maxRecords: 5 }).subscribe(async delivery => {
  const { partition, nextOffset } = delivery
  const records = delivery.records.map(({ value, offset }) => ({ key: Buffer.from(`${offset}`), value, partition }))
  await log.publish([{ topic: 'output', records }], { settles: { group: 'relay', deliveries: [delivery] } })
  writeSync(1, `settled ${partition} ${nextOffset}\n`)
  delivery.ack()
})
log.consume('output', { group: 'copy', maxRecords: 3, ahead: true }).subscribe(async delivery => {
  const records = delivery.records.map(({ key, value }) => ({ key, value, partition: delivery.partition }))
  const durable = log.publish([{ topic: 'copy', records }], { settles: { group: 'copy', deliveries: [delivery] } })
  delivery.ack()
  await durable
})
await produce()
