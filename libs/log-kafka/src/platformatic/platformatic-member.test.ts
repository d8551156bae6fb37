import { expect, it, vi } from 'vitest'
import { PlatformaticMember } from './platformatic-member.ts'

/** A cluster as its clients see it: who leads each partition (−1: nobody), and who was asked for what. */
const cluster = vi.hoisted(() => ({
  leaders: [] as number[],
  fetches: new Map<string, () => void>(),
  onMetadata: (): void => {},
}))

vi.mock('@platformatic/kafka', async original => {
  const { EventEmitter } = await import('node:events')
  const library = await original<typeof import('@platformatic/kafka')>()
  class Consumer extends EventEmitter {
    readonly topics = { track() {} }

    async metadata() {
      cluster.onMetadata()
      const partitions = cluster.leaders.map(leader => ({ leader, leaderEpoch: 0 }))
      return { topics: new Map([['t', { id: 't', partitions }]]) }
    }

    clearMetadata() {}

    async fetch({ node, topics }: { node: number; topics: { partitions: { partition: number }[] }[] }) {
      await new Promise(setImmediate)
      for (const { partition } of topics[0]!.partitions) {
        if (cluster.leaders[partition] !== node) throw new Error(`node ${node} does not lead ${partition}`)
        cluster.fetches.get(`${node}/${partition}`)?.()
      }
      return { responses: [] }
    }

    async close() {}
  }
  return { ...library, Consumer }
})

/** Resolves when a node is asked for a partition. */
const fetched = (node: number, partition: number): Promise<void> =>
  new Promise(resolve => cluster.fetches.set(`${node}/${partition}`, resolve))

it('follows leaders that move, also to a node that led nothing, and while nobody leads', async () => {
  cluster.leaders = [1, 2]
  const failures: unknown[] = []
  const member = new PlatformaticMember({ clientId: 'c', bootstrapBrokers: [] }, 't', undefined, 1_000, {
    drain: async () => {},
    assigned: partitions => {
      for (const partition of partitions) member.start(partition, 0)
    },
    fetched: () => {},
    failed: error => failures.push(error),
  })
  const first = [fetched(1, 0), fetched(2, 1)]
  member.join()
  await Promise.all(first)

  const moved = [fetched(3, 0), fetched(2, 1)]
  cluster.leaders = [3, 2]
  await Promise.all(moved)

  const alone = fetched(2, 1)
  cluster.leaders = [-1, 2]
  await alone
  const elected = [fetched(1, 0), fetched(2, 1)]
  cluster.leaders = [1, 2]
  await Promise.all(elected)

  // Until every loop there was has seen it.
  const seen = Promise.withResolvers<void>()
  let asked = 0
  cluster.onMetadata = () => ++asked > 4 && seen.resolve()
  cluster.leaders = [-1, -1]
  await seen.promise
  const back = [fetched(2, 0), fetched(3, 1)]
  cluster.leaders = [2, 3]
  await Promise.all(back)
  await member.leave()
  expect(failures).toEqual([])
})
