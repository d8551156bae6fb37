// Exactly-once relay through Kafka: node -C source test/bench/kafka-relay.ts [messages] [KAFKA_BROKERS]
// Records/s of the kafka log (kafkajs), the platformatic log and a bare kafkajs relay in transactions, interleaved,
// 128 bytes in, 64 bytes out, 3 partitions; medians of 3. The broker shares this machine's cores.
import type { EventLog } from '@eddy/log'
import { openKafkaLog } from '@eddy/log/kafka'
import { openPlatformaticLog } from '@eddy/log/platformatic'
import kafkajs from 'kafkajs'
import { startCluster } from '../fixtures/broker-process.ts'

const { Kafka, logLevel } = kafkajs
const total = Number(process.argv[2] ?? 150_000)
const cluster = await startCluster()
const brokers = [...cluster.brokers]
const partitions = 3
const half = new Uint8Array(64).fill(7)

async function prepare(log: EventLog, run: string): Promise<{ input: string; output: string }> {
  const topics = { input: `input-${run}`, output: `output-${run}` }
  const options = { partitions, cleanup: 'delete' as const }
  await log.ensureTopics({ [topics.input]: options, [topics.output]: options })
  const value = new Uint8Array(128).fill(7)
  for (let sent = 0; sent < total; sent += 3_000) {
    const records = Array.from({ length: 3_000 }, (_, i) => ({ key: null, value, partition: i % partitions }))
    await log.publish([{ topic: topics.input, records }])
  }
  return topics
}

async function relay(log: EventLog, input: string, output: string): Promise<number> {
  let start = 0
  let seen = 0
  await new Promise<void>((resolve, reject) => {
    log.consume(input, { group: `group-${input}`, untilEnd: true, maxRecords: 4_096 }).subscribe({
      next: async delivery => {
        start ||= performance.now()
        const { partition } = delivery
        const records = delivery.records.map(() => ({ key: null, value: half, partition }))
        const settles = { group: `group-${input}`, deliveries: [delivery] }
        await log.publish([{ topic: output, records }], { settles }).catch(reject)
        seen += records.length
        delivery.ack()
      },
      complete: resolve,
      error: reject,
    })
  })
  return seen / (performance.now() - start)
}

/** What a user of kafkajs would write: one transaction a fetched batch, a producer for each partition. */
async function bare(input: string, output: string): Promise<number> {
  const retry = { initialRetryTime: 5, factor: 0, retries: 20, maxRetryTime: 100 }
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry })
  const groupId = `bare-${input}`
  const producers = Array.from({ length: partitions }, (_, i) =>
    kafka.producer({ idempotent: true, maxInFlightRequests: 1, transactionalId: `${groupId}-${i}`, retry }),
  )
  await Promise.all(producers.map(producer => producer.connect()))
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 50 })
  await consumer.connect()
  await consumer.subscribe({ topic: input, fromBeginning: true })
  let start = 0
  let seen = 0
  await new Promise<void>(resolve => {
    void consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: partitions,
      eachBatch: async ({ batch: { partition, messages } }) => {
        start ||= performance.now()
        const transaction = await producers[partition]!.transaction()
        const copies = messages.map(() => ({ value: Buffer.from(half), partition }))
        await transaction.send({ topic: output, acks: -1, messages: copies })
        const offset = `${Number(messages.at(-1)!.offset) + 1}`
        await transaction.sendOffsets({
          consumerGroupId: groupId,
          topics: [{ topic: input, partitions: [{ partition, offset }] }],
        })
        await transaction.commit()
        seen += messages.length
        if (seen >= total) resolve()
      },
    })
  })
  const rate = seen / (performance.now() - start)
  await consumer.disconnect()
  await Promise.all(producers.map(producer => producer.disconnect()))
  return rate
}

async function latency(log: EventLog, run: string): Promise<string> {
  const options = { partitions, cleanup: 'delete' as const }
  const [input, output, group] = [`in-${run}`, `out-${run}`, `g-${run}`]
  await log.ensureTopics({ [input]: options, [output]: options })
  const relayed = log.consume(input, { group }).subscribe(async delivery => {
    const records = delivery.records.map(({ value }) => ({
      key: null,
      value: Uint8Array.from(value!),
      partition: delivery.partition,
    }))
    await log.publish([{ topic: output, records }], { settles: { group, deliveries: [delivery] } })
    delivery.ack()
  })
  const times: number[] = []
  const read = log.consume(output).subscribe(delivery => {
    const now = performance.timeOrigin + performance.now()
    for (const { value } of delivery.records) times.push(now - Buffer.from(value!).readDoubleLE(0))
    delivery.ack()
  })
  for (let tick = 0; tick < 500; tick++) {
    const records = Array.from({ length: 50 }, (_, i) => {
      const value = Buffer.alloc(128)
      value.writeDoubleLE(performance.timeOrigin + performance.now(), 0)
      return { key: null, value, partition: i % partitions }
    })
    void log.publish([{ topic: input, records }])
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  relayed.unsubscribe()
  read.unsubscribe()
  const sorted = times.slice(times.length >> 2).sort((a, b) => a - b)
  const quantile = (q: number) => `${sorted[Math.floor(q * (sorted.length - 1))]!.toFixed(1)} ms`
  return `p50 ${quantile(0.5)}, p99 ${quantile(0.99)} (produced in transactions, relayed in transactions, 5,000/s)`
}

const rates: Record<string, number[]> = { 'kafka (kafkajs)': [], platformatic: [], 'bare kafkajs': [] }
for (let run = 0; run < 3; run++) {
  for (const [name, open] of [
    ['kafka (kafkajs)', openKafkaLog],
    ['platformatic', openPlatformaticLog],
  ] as const) {
    const log = open({ brokers })
    const { input, output } = await prepare(log, `${name.slice(0, 5)}-${run}`.replace(/\W/g, '-'))
    rates[name]!.push(await relay(log, input, output))
    await log.close()
  }
  const log = openPlatformaticLog({ brokers })
  const { input, output } = await prepare(log, `bare-${run}`)
  await log.close()
  rates['bare kafkajs']!.push(await bare(input, output))
}
for (const [name, [...runs]] of Object.entries(rates))
  console.log(
    `${name}: ${runs.sort((a, b) => a - b)[1]!.toFixed(0)}k/s (${runs.map(rate => rate.toFixed(0)).join(', ')})`,
  )
for (const [name, open] of [
  ['kafka (kafkajs)', openKafkaLog],
  ['platformatic', openPlatformaticLog],
] as const) {
  const log = open({ brokers })
  console.log(`${name}: ${await latency(log, name.slice(0, 5).trim())}`)
  await log.close()
}
await cluster.stop()
process.exit()
