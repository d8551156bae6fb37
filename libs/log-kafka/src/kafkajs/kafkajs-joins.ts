import { createRequire } from 'node:module'
import { claim } from './kafkajs-claim.ts'

/*
 * kafkajs 2.2.4 (the version is pinned) loses its place in its group:
 *
 * 1. A rebalance does not wait for work in progress. A member's assigner may have a `beforeJoin` that does.
 * 2. Whoever hears of a rebalance, a fetcher for each broker and the one who runs them, joins by itself; of two requests of
 *    one member the coordinator answers one. They share one join.
 * 3. A join that failed (the connection was lost, the coordinator is loading) is forgotten where heartbeats are answered all the same:
 *    the member goes on with the partitions it had, while the group may have given it others, which nobody fetches then. It
 *    joins again before it fetches anything.
 */

export interface Group {
  readonly assigners: readonly { readonly beforeJoin?: () => Promise<void> }[]
  joinAndSync(): Promise<void>
  fetch(node: number): Promise<unknown>
}

const require = createRequire(import.meta.url)

/** Puts kafkajs's joins right, once a process. */
export function repairJoins(): void {
  const { prototype } = require('kafkajs/src/consumer/consumerGroup.js') as { prototype: Group }
  if (!claim(prototype, 'joins')) return

  const { joinAndSync, fetch } = prototype
  const underWay = new WeakMap<Group, Promise<void>>()
  /** Members that have yet to hear what is theirs. */
  const astray = new WeakSet<Group>()

  async function join(group: Group): Promise<void> {
    astray.add(group)
    await group.assigners[0]?.beforeJoin?.()
    await joinAndSync.call(group)
    astray.delete(group)
  }
  prototype.joinAndSync = function () {
    const joined = underWay.get(this) ?? join(this).finally(() => underWay.delete(this))
    underWay.set(this, joined)
    return joined
  }
  prototype.fetch = async function (node) {
    if (astray.has(this)) await this.joinAndSync()
    return fetch.call(this, node)
  }
}
