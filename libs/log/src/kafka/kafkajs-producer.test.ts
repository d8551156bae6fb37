import type { Producer, TopicMessages } from 'kafkajs'
import { expect, test } from 'vitest'
import { record } from '../conformance/harness.ts'
import { CompressionTypes } from './kafkajs.ts'
import { KafkajsProducer } from './kafkajs-producer.ts'

test('a request is for one partition, so that one that is repeated repeats all of it', async () => {
  const requests: TopicMessages[][] = []
  const transaction = {
    async sendBatch({ topicMessages }: { topicMessages: TopicMessages[] }) {
      requests.push(topicMessages)
      return [{ baseOffset: `${10 * requests.length}` }]
    },
    async commit() {},
  }
  const producer = { transaction: async () => transaction } as unknown as Producer
  const batch = (topic: string, partition: number) => ({ topic, partition, records: [record('k', 'v')] })
  const batches = [batch('a', 0), batch('a', 1), batch('b', 0), batch('a', 0)]
  const bases = await new KafkajsProducer(producer, true, CompressionTypes.None).send(batches, [])
  expect(bases).toEqual([10, 20, 30, 40])
  expect(
    requests.map(topics => topics.map(({ topic, messages }) => [topic, messages.map(({ partition }) => partition)])),
  ).toEqual([[['a', [0]]], [['a', [1]]], [['b', [0]]], [['a', [0]]]])
})
