import { describeWithKafka } from '../../../../test/fixtures/kafka.ts'
import { eventLogConformance } from '../conformance/index.ts'
import { cleanTopic } from './clean-topic.fixture.ts'
import { openKafkaLog } from './index.ts'

describeWithKafka('kafkajs', kafka => {
  eventLogConformance('kafka', async () => ({
    open: async () => openKafkaLog({ brokers: kafka().brokers }),
    clean: (log, topic) => cleanTopic(kafka().brokers, log, topic),
    dispose: async () => {},
  }))
})
