import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { type FetchedPartition, hideAborted, repairKafkajs } from './kafkajs-repairs.ts'

const data = (offset: number, producerId: string, key = 'k') => ({
  offset: `${offset}`,
  key: Buffer.from(key, 'latin1'),
  isControlRecord: false,
  batchContext: { producerId, inTransaction: true },
})
const marker = (offset: number, producerId: string, type: 'abort' | 'commit') => ({
  ...data(offset, producerId, type === 'abort' ? '\0\0\0\0' : '\0\0\0\x01'),
  isControlRecord: true,
})

function visible(partition: FetchedPartition): number[] {
  hideAborted(partition)
  expect(partition.abortedTransactions).toEqual([])
  return partition.messages.filter(message => !message.isControlRecord).map(({ offset }) => Number(offset))
}

test('overlapping aborted transactions, listed out of order', () => {
  const messages = [
    data(0, 'a'),
    data(1, 'b'),
    data(2, 'a'),
    data(3, 'c'),
    data(4, 'b'),
    marker(5, 'b', 'abort'),
    data(6, 'a'),
    marker(7, 'a', 'abort'),
    marker(8, 'c', 'commit'),
  ]
  const abortedTransactions = [
    { producerId: 'b', firstOffset: '1' },
    { producerId: 'a', firstOffset: '0' },
  ]
  expect(visible({ messages, abortedTransactions })).toEqual([3])
})

test('several that began before the fetch', () => {
  const abortedTransactions = ['a', 'b', 'c'].map((producerId, i) => ({ producerId, firstOffset: `${i}` }))
  const messages = [data(10, 'c'), data(11, 'b'), data(12, 'a'), data(13, 'd')]
  expect(visible({ messages, abortedTransactions })).toEqual([13])
})

test('a record whose key looks like an abort marker ends nothing', () => {
  const messages = [data(0, 'a', '\0\0\0\0'), data(1, 'a'), marker(2, 'a', 'abort'), data(3, 'a')]
  expect(visible({ messages, abortedTransactions: [{ producerId: 'a', firstOffset: '0' }] })).toEqual([3])
})

test('two aborted transactions of one producer, a committed one between them', () => {
  const messages = [
    data(0, 'a'),
    marker(1, 'a', 'abort'),
    data(2, 'a'),
    marker(3, 'a', 'commit'),
    data(4, 'a'),
    marker(5, 'a', 'abort'),
  ]
  const abortedTransactions = [
    { producerId: 'a', firstOffset: '0' },
    { producerId: 'a', firstOffset: '4' },
  ]
  expect(visible({ messages, abortedTransactions })).toEqual([2])
})

test('records outside of transactions stay', () => {
  const plain = { ...data(0, 'a'), batchContext: { producerId: 'a', inTransaction: false } }
  expect(visible({ messages: [plain], abortedTransactions: [{ producerId: 'a', firstOffset: '0' }] })).toEqual([0])
  expect(visible({ messages: [data(0, 'a')], abortedTransactions: null })).toEqual([0])
})

test('a fetch of nothing but markers is handed out, with where it was fetched', () => {
  repairKafkajs()
  const require = createRequire(import.meta.url)
  const Batch = require('kafkajs/src/consumer/batch.js')
  const fetched = (messages: object[]) => new Batch('t', '5', { partition: 0, highWatermark: '7', messages })
  const markers = fetched([marker(5, 'a', 'commit'), marker(6, 'b', 'abort')])
  expect([markers.isEmpty(), markers.isEmptyDueToFiltering()]).toEqual([false, false])
  expect([markers.fetchedOffset, markers.messages, markers.lastOffset()]).toEqual(['5', [], '6'])
  expect(fetched([]).isEmpty()).toBe(true)
})

test('a consumer that is stopped while the brokers change ends', async () => {
  repairKafkajs()
  const require = createRequire(import.meta.url)
  const Runner = require('kafkajs/src/consumer/runner.js')
  const quiet = { namespace: () => quiet, debug() {}, info() {}, warn() {}, error() {} }
  const fetches = new Map([1, 2].map(node => [node, Promise.withResolvers<unknown[]>()]))
  let brokers = [1, 2]
  let asked = 0
  const consumerGroup = {
    connect: async () => {},
    joinAndSync: async () => {},
    heartbeat: async () => {},
    leave: async () => {},
    fetch: (node: number) => fetches.get(node)?.promise,
    getNodeIds() {
      // What never gives way could not be waited for either.
      if (asked++ > 1_000) throw new Error('asked too often')
      return brokers
    },
  }
  const crashed: Error[] = []
  const onCrash = (error: Error) => crashed.push(error)
  const retry = { retries: 0 }
  const runner = new Runner({
    logger: quiet,
    consumerGroup,
    instrumentationEmitter: { emit() {} },
    concurrency: 1,
    onCrash,
    retry,
  })
  await runner.start()
  brokers = [1, 2, 3]
  fetches.get(1)?.resolve([])
  // The fetcher of the first broker has seen the change, and waits for that of the second one.
  await new Promise(setImmediate)
  const stopped = runner.stop()
  fetches.get(2)?.resolve([])
  await stopped
  expect(crashed).toEqual([])
})
