import { eventLogConformance } from '@eddy/log/conformance'
import { describeWithKafka } from '../../../../test/fixtures/kafka.ts'
import { cleanTopic } from './clean-topic.fixture.ts'
import { openKafkajsLog } from './index.ts'

describeWithKafka('kafkajs', kafka => {
  eventLogConformance('kafka', async () => ({
    open: async () => openKafkajsLog({ brokers: kafka().brokers }),
    clean: (log, topic) => cleanTopic(kafka().brokers, log, topic),
    dispose: async () => {},
  }))
})
