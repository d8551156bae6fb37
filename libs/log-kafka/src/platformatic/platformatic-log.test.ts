import { eventLogConformance } from '@eddy/log/conformance'
import { describeWithKafka } from '../../../../test/fixtures/kafka.ts'
import { cleanTopic } from '../kafkajs/clean-topic.fixture.ts'
import { openPlatformaticLog } from './index.ts'

describeWithKafka('@platformatic/kafka', kafka => {
  eventLogConformance('platformatic', async () => ({
    open: async () => openPlatformaticLog({ brokers: kafka().brokers }),
    clean: (log, topic) => cleanTopic(kafka().brokers, log, topic),
    dispose: async () => {},
  }))
})
