import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { AssignerProtocol } from './kafkajs.ts'
import { type Group, repairJoins } from './kafkajs-joins.ts'

const require = createRequire(import.meta.url)
const topic = 't'

/** A member of a group whose coordinator answers each question about its share by the next of `shares`: partitions, or an error. */
function member(shares: (readonly number[] | Error)[]) {
  repairJoins()
  const ConsumerGroup = require('kafkajs/src/consumer/consumerGroup.js')
  const quiet = { namespace: () => quiet, debug() {}, info() {}, warn() {}, error() {} }
  let joins = 0
  const coordinator = {
    async joinGroup() {
      joins++
      return { generationId: joins, leaderId: 'another', memberId: 'me', members: [], groupProtocol: 'p' }
    },
    async syncGroup() {
      const share = shares.shift() ?? []
      if (share instanceof Error) throw share
      const assignment = { version: 0, assignment: { [topic]: [...share] }, userData: Buffer.alloc(0) }
      return { memberAssignment: AssignerProtocol.MemberAssignment.encode(assignment) }
    },
    isConnected: () => true,
    offsetFetch: async () => ({
      responses: [{ topic, partitions: [0, 1, 2].map(partition => ({ partition, offset: '0' })) }],
    }),
  }
  const group = new ConsumerGroup({
    logger: quiet,
    topics: [topic],
    topicConfigurations: { [topic]: {} },
    retry: { retries: 0 },
    instrumentationEmitter: { emit() {} },
    assigners: [{ protocol: () => ({}) }],
    autoCommit: false,
    maxWaitTimeInMs: 0,
    cluster: {
      findGroupCoordinator: async () => coordinator,
      findTopicPartitionMetadata: () => [0, 1, 2].map(partitionId => ({ partitionId, leader: 1 })),
      refreshMetadataIfNecessary: async () => {},
    },
  }) as Group & { assigned(): { partitions: number[] }[] }
  return { group, held: () => group.assigned().flatMap(({ partitions }) => partitions), joins: () => joins }
}

test('a member whose join failed joins again before it fetches', async () => {
  const { group, held, joins } = member([[0], new Error('the connection was lost'), [0, 1]])
  await group.joinAndSync()
  expect(held()).toEqual([0])
  await expect(group.joinAndSync()).rejects.toThrow('the connection was lost')
  await group.fetch(2)
  expect(held()).toEqual([0, 1])
  await group.fetch(2)
  expect(joins()).toBe(3)
})

test('what hears of a rebalance at the same time joins once', async () => {
  const { group, held, joins } = member([[0], [1]])
  await Promise.all([group.joinAndSync(), group.joinAndSync(), group.fetch(2)])
  expect([joins(), held()]).toEqual([1, [0]])
  await group.joinAndSync()
  expect([joins(), held()]).toEqual([2, [1]])
})
