// What a user of kafkajs would write, exactly once: node relay.ts '{"brokers":[],"from":"","to":"","group":"","valueBytes":120,"partitions":3}'
// One transaction a fetched batch, a producer for each partition; keys and timestamps are copied, values are `valueBytes` long.
import kafkajs from 'kafkajs'

export interface RelayOptions {
  readonly brokers: readonly string[]
  readonly from: string
  readonly to: string
  readonly group: string
  readonly partitions: number
  /** of a label */
  readonly valueBytes: number
}

const { Kafka, logLevel } = kafkajs
const { brokers, from, to, group, partitions, valueBytes } = JSON.parse(process.argv[2]!) as RelayOptions
// The library's own retries would make a transaction take 317 ms.
const retry = { initialRetryTime: 5, factor: 0, retries: 20, maxRetryTime: 100 }
const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, retry })
const producers = Array.from({ length: partitions }, (_, partition) =>
  kafka.producer({ idempotent: true, maxInFlightRequests: 1, transactionalId: `${group}-${partition}`, retry }),
)
await Promise.all(producers.map(producer => producer.connect()))
const value = Buffer.alloc(valueBytes, 7)
const consumer = kafka.consumer({ groupId: group, maxWaitTimeInMs: 50 })
await consumer.connect()
await consumer.subscribe({ topic: from, fromBeginning: true })
await consumer.run({
  autoCommit: false,
  partitionsConsumedConcurrently: partitions,
  eachBatch: async ({ batch: { partition, messages } }) => {
    const transaction = await producers[partition]!.transaction()
    const copies = messages.map(({ key, timestamp }) => ({ key, value, partition, timestamp }))
    await transaction.send({ topic: to, acks: -1, messages: copies })
    const offset = `${Number(messages.at(-1)!.offset) + 1}`
    await transaction.sendOffsets({
      consumerGroupId: group,
      topics: [{ topic: from, partitions: [{ partition, offset }] }],
    })
    await transaction.commit()
  },
})
