import { eventLogConformance } from '@eddy/log/conformance'
import { freshTopic, readAll, records } from '@eddy/log/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeWithDocker } from '../../../test/fixtures/docker-engine.ts'
import { type Kafka, kafkaSource, startKafka } from '../../../test/fixtures/kafka.ts'
import { buildKafkaImage, kafkaImage } from '../../../test/fixtures/kafka-image/index.ts'
import { consoleConsume } from '../../../test/fixtures/kafka-tools.ts'
import { cleanTopic } from './kafkajs/clean-topic.fixture.ts'
import { openKafkajsLog } from './kafkajs/index.ts'
import { openPlatformaticLog } from './platformatic/index.ts'

describeWithDocker('a broker of Testcontainers', () => {
  let kafka: Kafka
  beforeAll(async () => {
    if (kafkaImage() === undefined) await buildKafkaImage()
    expect(kafkaSource()).toBe('docker')
    kafka = await startKafka()
  })
  afterAll(() => kafka?.stop())

  const clients = { kafkajs: openKafkajsLog, platformatic: openPlatformaticLog }
  for (const [name, open] of Object.entries(clients)) {
    eventLogConformance(name, async () => ({
      open: async () => open({ brokers: kafka.brokers }),
      clean: (log, topic) => cleanTopic(kafka.brokers, log, topic),
      dispose: async () => {},
    }))

    test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(`what ${name} wrote with %s is read by Java`, async codec => {
      const log = open({ brokers: kafka.brokers, compression: codec })
      const topic = await freshTopic(log)
      await log.publish([{ topic, records: records(50, 0, 'x'.repeat(200)) }])
      expect(await consoleConsume(kafka.brokers, topic)).toEqual(await readAll(log, topic))
      await log.close()
    })
  }
})
