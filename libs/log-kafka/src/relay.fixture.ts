// A process for kafka-faults.slow.test.ts, to be killed, stopped and cut off: relays a topic in transactions, and exits
// with 1 at the first error, as every process of Eddy does; its supervisor starts it again.
// Arguments: client, brokers, input, output, group.

import { openKafkajsLog } from './kafkajs/index.ts'
import { openPlatformaticLog } from './platformatic/index.ts'

const [client, brokers, input, output, group] = process.argv.slice(2) as [string, string, string, string, string]
const open = client === 'platformatic' ? openPlatformaticLog : openKafkajsLog
const log = open({ brokers: brokers.split(','), sessionTimeoutMs: 3_000, transactionTimeoutMs: 10_000 })

function fail(error: unknown): never {
  console.error(String(error))
  process.exit(1)
}

log.consume(input, { group, maxRecords: 20 }).subscribe({
  next: async delivery => {
    const { partition } = delivery
    const records = delivery.records.map(({ value, offset }) => ({ key: Buffer.from(`${offset}`), value, partition }))
    await log.publish([{ topic: output, records }], { settles: { group, deliveries: [delivery] } }).catch(fail)
    delivery.ack()
  },
  error: fail,
})
process.on('SIGTERM', () => process.exit(0))
