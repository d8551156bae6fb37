import { createRequire } from 'node:module'
import { setTimeout } from 'node:timers/promises'
import { claim } from './kafkajs-claim.ts'

/*
 * kafkajs 2.2.4 (the version is pinned) takes nine round trips for a transaction that needs three, and waits where it need not:
 *
 * 1. It asks who the coordinator is before each request of a transaction. We ask once, and again after any error and when it is
 *    out of reach.
 * 2. A transaction that follows another is refused while that one's markers are being written, a matter of a millisecond
 *    or two. The library logs an error, asks for new metadata, and waits twice as long each time. We ask again at once.
 */

type Method = (this: object, ...arguments_: unknown[]) => Promise<unknown>
type Patchable = { prototype: Record<string, Method> }
interface Cluster {
  findGroupCoordinator(request: { readonly groupId: string; readonly coordinatorType: number }): Promise<Broker>
  findBroker(request: { readonly nodeId: number }): Promise<Broker>
}
interface Broker {
  readonly nodeId: number
}

const require = createRequire(import.meta.url)
const TRANSACTION = 1
/** How long markers may take before something else is wrong, milliseconds; and the longest wait between two questions. */
const MARKERS_MS = 15_000
const LONGEST_WAIT_MS = 50

/** Makes kafkajs's transactions quicker, once a process. */
export function quickenTransactions(): void {
  const broker = require('kafkajs/src/broker/index.js') as Patchable
  if (!claim(broker, 'quickened')) return
  /** Of every producer: an error of any transaction makes all look for their coordinators again. */
  let era = 0
  const coordinators = new WeakMap<Cluster, Map<string, { readonly era: number; readonly nodeId: number }>>()

  for (const name of ['addPartitionsToTxn', 'addOffsetsToTxn', 'txnOffsetCommit', 'endTxn']) {
    const request = broker.prototype[name]!
    broker.prototype[name] = async function (...arguments_) {
      try {
        return await untilCompleted(() => request.apply(this, arguments_))
      } catch (error) {
        era++
        throw error
      }
    }
  }

  const cluster = require('kafkajs/src/cluster/index.js') as { prototype: Cluster }
  const find = cluster.prototype.findGroupCoordinator
  cluster.prototype.findGroupCoordinator = async function (request) {
    const { groupId, coordinatorType } = request
    let known = coordinators.get(this)
    if (known === undefined) {
      // A member of a group, which looks for its coordinator when it has lost it.
      if (coordinatorType !== TRANSACTION) return find.call(this, request)
      known = new Map()
      coordinators.set(this, known)
    }
    const key = `${coordinatorType} ${groupId}`
    const before = known.get(key)
    const reached =
      before?.era === era ? await this.findBroker({ nodeId: before.nodeId }).catch(() => undefined) : undefined
    if (reached !== undefined) return reached
    const asked = era
    const found = await find.call(this, request)
    known.set(key, { era: asked, nodeId: found.nodeId })
    return found
  }
}

/** Asks again while the transaction before this one is still being completed: at once, then less and less often. */
async function untilCompleted(ask: () => Promise<unknown>): Promise<unknown> {
  const begun = performance.now()
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      const waited = performance.now() - begun
      if ((error as { type?: string }).type !== 'CONCURRENT_TRANSACTIONS' || waited > MARKERS_MS) throw error
      await setTimeout(Math.min(LONGEST_WAIT_MS, 1 + waited / 10))
    }
  }
}
