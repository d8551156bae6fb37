import type { Kafka, Producer } from 'kafkajs'
import { expect, it } from 'vitest'
import { CompressionTypes, KafkaJSNonRetriableError } from './kafkajs.ts'
import { joinGroup } from './kafkajs-member.ts'
import { patiently } from './kafkajs-patience.ts'
import { KafkajsProducer } from './kafkajs-producer.ts'

const outOfReach = () => Object.assign(new Error('read ECONNRESET'), { name: 'KafkaJSConnectionError' })

/** Fails at the first call, as when a broker fails in that moment. */
function failingOnce<T>(answer: T): () => Promise<T> {
  let calls = 0
  return async () => {
    if (calls++ === 0) throw outOfReach()
    return answer
  }
}

it('asks again at errors that pass, and at no others', async () => {
  expect(await patiently(failingOnce('answer'))).toBe('answer')
  const refused = new KafkaJSNonRetriableError('no')
  await expect(patiently(() => Promise.reject(refused))).rejects.toBe(refused)
  const cause = outOfReach()
  const given = Object.assign(new KafkaJSNonRetriableError('gave up'), { cause })
  expect(await patiently(failingOnce(given))).toBe(given)
  await expect(
    patiently(
      () => Promise.reject(cause),
      () => true,
    ),
  ).rejects.toBe(cause)
})

it('a producer takes its id though a broker fails meanwhile', async () => {
  const producer = {
    connect: failingOnce(undefined),
    transaction: failingOnce({ abort: async () => {} }),
  } as unknown as Producer
  await new KafkajsProducer(producer, true, CompressionTypes.None).initialise()
})

it('a member joins though a broker fails meanwhile', async () => {
  const joined = Promise.withResolvers<void>()
  const consumer = {
    on() {},
    events: {},
    connect: failingOnce(undefined),
    subscribe: failingOnce(undefined),
    run: async () => joined.resolve(),
    disconnect: async () => {},
  }
  const kafka = { consumer: () => consumer } as unknown as Kafka
  const member = joinGroup(kafka, 't', 'g', 30_000, {
    drain: async () => {},
    assigned() {},
    fetched() {},
    failed: joined.reject,
  })
  await joined.promise
  await member.leave()
})
