import { asyncValues, type EventLog } from '@eddy/log'
import { deadLetterFrom } from '@eddy/messages'
import { createLogger, loadConfiguration } from '@eddy/runtime'
import { configurationSchema, openLog, topicOptions } from '@eddy/settings'
import kafkajs from 'kafkajs'
import { expect, it } from 'vitest'
import { describeWithKafka } from '../../../test/fixtures/kafka.ts'
import { runService } from './start-services.ts'

describeWithKafka('an event as large as brokers take', kafka => {
  it('becomes a dead letter that they take too, and ingest goes on', async () => {
    const name = `large-${process.pid}`
    const roles = ['events', 'features', 'statistics', 'snapshots', 'lineage', 'labels', 'deadLetters']
    const configuration = loadConfiguration(configurationSchema, {
      flags: {
        'log.kind': 'kafka',
        'kafka.brokers': [...kafka().brokers],
        'http.port': 0,
        'model.name': name,
        ...Object.fromEntries(roles.map(role => [`topics.${role}`, `${name}.${role}`])),
      },
    })
    const { topics } = configuration
    const log: EventLog = await openLog(configuration)
    await log.ensureTopics(topicOptions(configuration))
    const client = new kafkajs.Kafka({ brokers: [...kafka().brokers], logLevel: kafkajs.logLevel.NOTHING })
    const producer = client.producer()
    await producer.connect()
    const large = Buffer.alloc(1_048_000, 'x')
    const headers = { trace: 'x' }
    const small = JSON.stringify({ customer: 'c', features: { x: 1 } })
    await producer.send({ topic: topics.events, messages: [{ value: large, headers }] })
    await producer.send({ topic: topics.events, messages: [{ value: small }] })
    await producer.disconnect()
    const stopping = new AbortController()
    const running = runService({
      name: 'ingest',
      configuration,
      features: [{ name: 'x', type: 'number', transform: 'none', required: false }],
      log,
      logger: createLogger('silent'),
      now: Date.now,
      signal: stopping.signal,
    })
    try {
      const read = async (topic: string) => {
        const records = []
        for await (const delivery of asyncValues(log.consume(topic, { from: 'earliest', untilEnd: true }))) {
          records.push(...delivery.records)
          delivery.ack()
        }
        return records
      }
      const went = expect.poll(async () => (await read(topics.features)).length, { timeout: 30_000 }).toBe(1)
      await Promise.race([went, running])
      expect((await read(topics.deadLetters)).map(deadLetterFrom)).toMatchObject([
        { cutFrom: large.length, partition: 0, offset: 0, headers: [{ name: 'trace' }] },
      ])
    } finally {
      stopping.abort()
      await running.catch(() => {})
      await log.close()
    }
  }, 60_000)
})
