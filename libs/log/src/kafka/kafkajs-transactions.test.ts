import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { quickenTransactions } from './kafkajs-transactions.ts'

const require = createRequire(import.meta.url)
const Broker = require('kafkajs/src/broker/index.js')
const Cluster = require('kafkajs/src/cluster/index.js')
quickenTransactions()

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

/** A kafkajs cluster that counts how often it asks for a coordinator. */
function cluster() {
  let asked = 0
  const withBroker = async () => {
    asked++
    return { coordinator: { nodeId: asked } }
  }
  const made = Object.create(Cluster.prototype, { brokerPool: { value: { withBroker } } })
  const find = (groupId: string, coordinatorType: number): Promise<unknown> =>
    made.findGroupCoordinatorMetadata({ groupId, coordinatorType })
  return { find, asked: () => asked }
}

const GROUP = 0
const TRANSACTION = 1
const protocolError = (type: string) => Object.assign(new Error(type), { type })

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

  it('leave the members of groups alone: they ask each time', async () => {
    const member = cluster()
    for (let i = 0; i < 3; i++) await member.find('group', GROUP)
    expect(member.asked()).toBe(3)
  })
})
