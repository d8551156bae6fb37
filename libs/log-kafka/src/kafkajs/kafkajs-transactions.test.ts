import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { quickenTransactions } from './kafkajs-transactions.ts'

const require = createRequire(import.meta.url)
const Broker = require('kafkajs/src/broker/index.js')
const Cluster = require('kafkajs/src/cluster/index.js')
quickenTransactions()

const protocolError = (type: string) => Object.assign(new Error(type), { type })

/** A kafkajs broker that gives these answers, one after another. */
function broker(...answers: readonly unknown[]) {
  const left = [...answers]
  const send = async () => {
    const answer = left.shift()
    if (answer instanceof Error) throw answer
    return answer
  }
  return Object.create(Broker.prototype, {
    lookupRequest: { value: () => () => ({}) },
    connectionPool: { value: { send } },
  })
}

/** A kafkajs cluster that counts how often it asks for a coordinator: broker 1, then 2, … */
function cluster() {
  let asked = 0
  const gone = new Set<number>()
  const findGroupCoordinatorMetadata = async () => ({ coordinator: { nodeId: ++asked } })
  const findBroker = async ({ nodeId }: { nodeId: number }) => {
    if (gone.has(nodeId)) throw protocolError('connection refused')
    return { nodeId }
  }
  const made = Object.create(Cluster.prototype, {
    retrier: { value: (attempt: (bail: (error: Error) => void) => Promise<unknown>) => attempt(() => {}) },
    findGroupCoordinatorMetadata: { value: findGroupCoordinatorMetadata },
    findBroker: { value: findBroker },
  })
  const find = async (groupId: string, coordinatorType: number): Promise<number> =>
    (await made.findGroupCoordinator({ groupId, coordinatorType })).nodeId
  return { find, gone, asked: () => asked }
}

const GROUP = 0
const TRANSACTION = 1

describe('transactions of kafkajs', () => {
  it('ask again while the one before is being completed, and only then', async () => {
    const busy = protocolError('CONCURRENT_TRANSACTIONS')
    await expect(broker(busy, busy, 'added').addPartitionsToTxn({})).resolves.toBe('added')
    await expect(broker(busy, 'added').addOffsetsToTxn({})).resolves.toBe('added')
    await expect(broker(protocolError('INVALID_TXN_STATE'), 'added').endTxn({})).rejects.toThrow('INVALID_TXN_STATE')
  })

  it('know their coordinators until an error', async () => {
    const producer = cluster()
    for (let i = 0; i < 3; i++) {
      await producer.find('id', TRANSACTION)
      await producer.find('group', GROUP)
    }
    expect(producer.asked()).toBe(2)
    await expect(broker(protocolError('NOT_COORDINATOR')).endTxn({})).rejects.toThrow()
    await producer.find('id', TRANSACTION)
    await producer.find('id', TRANSACTION)
    expect(producer.asked()).toBe(3)
  })

  it('look for another coordinator when theirs is out of reach', async () => {
    const producer = cluster()
    expect(await producer.find('id', TRANSACTION)).toBe(1)
    producer.gone.add(1)
    expect(await producer.find('id', TRANSACTION)).toBe(2)
    expect(await producer.find('id', TRANSACTION)).toBe(2)
  })

  it('leave the members of groups alone: they ask each time', async () => {
    const member = cluster()
    for (let i = 0; i < 3; i++) await member.find('group', GROUP)
    expect(member.asked()).toBe(3)
  })
})
