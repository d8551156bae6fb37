import { record } from '@eddy/log/testing'
import type { Producer } from 'kafkajs'
import { expect, test } from 'vitest'
import { CompressionTypes } from './kafkajs.ts'
import { KafkajsProducer } from './kafkajs-producer.ts'
import type { RecordMessages } from './kafkajs-record-batches.ts'

type Topics = readonly { readonly topic: string; readonly messages: RecordMessages }[]

test('a request is for one partition, so that one that is repeated repeats all of it', async () => {
  const requests: Topics[] = []
  const transaction = {
    async sendBatch({ topicMessages }: { topicMessages: Topics }) {
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
  expect(requests.map(topics => topics.map(({ topic, messages }) => [topic, Object.keys(messages.reduce())]))).toEqual([
    [['a', ['0']]],
    [['a', ['1']]],
    [['b', ['0']]],
    [['a', ['0']]],
  ])
})
