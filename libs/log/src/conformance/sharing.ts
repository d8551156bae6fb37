import { describe, expect, test } from 'vitest'
import { freshName, freshTopic, Reader, records } from '../testing/harness.ts'
import type { Context } from './index.ts'

export function sharing(context: Context): void {
  describe('a group', () => {
    test('shares the partitions among its members, evenly, and reads everything once', async () => {
      const { log } = context
      const topic = await freshTopic(log, 4)
      const group = freshName('g')
      const held = [new Assignment(), new Assignment()]
      const readers = held.map(({ onAssignment }) => new Reader(log.consume(topic, { group, onAssignment })))
      await settled(readers, () => held.every(({ partitions }) => partitions.length === 2))
      expect(held.flatMap(({ partitions }) => partitions).toSorted()).toEqual([0, 1, 2, 3])
      await log.publish([0, 1, 2, 3].map(p => ({ topic, records: records(25, p) })))
      await settled(readers, () => readers[0]!.read.length + readers[1]!.read.length >= 100)
      for (const [i, reader] of readers.entries()) {
        expect(reader.read).toHaveLength(50)
        expect(new Set(reader.read.map(({ partition }) => partition))).toEqual(new Set(held[i]!.partitions))
      }
    })

    test('gives a member’s partitions to the others when it leaves, from the group’s position', async () => {
      const { log } = context
      const topic = await freshTopic(log, 2)
      const group = freshName('g')
      await log.publish([0, 1].map(p => ({ topic, records: records(10, p) })))
      const settle = async (reader: Reader, i: number) => {
        const delivery = reader.deliveries[i]!
        await log.publish([], { settles: { group, deliveries: [delivery] } })
      }
      const first = new Reader(log.consume(topic, { group, maxRecords: 4 }), () => {})
      await first.until(() => first.deliveries.length === 2)
      await settle(first, 0)
      const settledPartition = first.deliveries[0]!.partition
      first.stop()
      const second = new Reader(log.consume(topic, { group }))
      await second.until(() => second.read.length >= 16)
      expect(second.valuesOf(settledPartition)).toEqual(['v4', 'v5', 'v6', 'v7', 'v8', 'v9'])
      expect(second.valuesOf(1 - settledPartition)).toHaveLength(10)
    })

    test('rebalances when a member joins: nobody reads what another holds', async () => {
      const { log } = context
      const topic = await freshTopic(log, 4)
      const group = freshName('g')
      const [held, joined] = [new Assignment(), new Assignment()]
      const first = new Reader(log.consume(topic, { group, onAssignment: held.onAssignment }))
      await settled([first], () => held.partitions.length === 4)
      const second = new Reader(log.consume(topic, { group, onAssignment: joined.onAssignment }))
      await settled([first, second], () => joined.partitions.length === 2 && held.partitions.length === 2)
      await log.publish([0, 1, 2, 3].map(p => ({ topic, records: records(5, p) })))
      await settled([first, second], () => first.read.length + second.read.length >= 20)
      expect(new Set(second.read.map(({ partition }) => partition))).toEqual(new Set(joined.partitions))
      expect(new Set(first.read.map(({ partition }) => partition))).toEqual(new Set(held.partitions))
    })

    test('members beyond the number of partitions get none, and are told so', async () => {
      const { log } = context
      const topic = await freshTopic(log, 1)
      const group = freshName('g')
      await log.publish([{ topic, records: records(10, 0) }])
      const told: (readonly number[] | undefined)[] = [undefined, undefined, undefined]
      const readers = told.map((_, i) => {
        const onAssignment = (partitions: readonly number[]): void => {
          told[i] = partitions
        }
        return new Reader(log.consume(topic, { group, onAssignment }))
      })
      await settled(readers, () => readers.reduce((sum, { read }) => sum + read.length, 0) >= 10)
      await settled(readers, () => told.filter(partitions => partitions?.length === 0).length === 2)
      expect(readers.map(({ read }) => read.length).toSorted((a, b) => a - b)).toEqual([0, 0, 10])
    })

    test('does not disturb another group', async () => {
      const { log } = context
      const topic = await freshTopic(log, 2)
      await log.publish([0, 1].map(p => ({ topic, records: records(10, p) })))
      const groups = [freshName('g'), freshName('g')]
      const readers = groups.map(group => new Reader(log.consume(topic, { group })))
      await settled(readers, () => readers.every(({ read }) => read.length === 20))
      await log.publish([], { settles: { group: groups[0]!, deliveries: [readers[0]!.deliveries[0]!] } })
      expect((await log.positions(topic, groups[0]!)).size).toBe(1)
      expect((await log.positions(topic, groups[1]!)).size).toBe(0)
    })

    test('asks a from function at each assignment, with the new partitions only', async () => {
      const { log } = context
      const topic = await freshTopic(log, 2)
      const group = freshName('g')
      await log.publish([0, 1].map(p => ({ topic, records: records(6, p) })))
      const asked: number[][] = []
      const from = async (partitions: readonly number[]) => {
        asked.push([...partitions])
        return new Map(partitions.map(p => [p, 4]))
      }
      const first = new Reader(log.consume(topic, { group, from }))
      await first.until(() => first.read.length === 4)
      const before = asked.flat().length
      const second = new Reader(log.consume(topic, { group, from }))
      await second.until(() => second.read.length === 2)
      expect(asked.flat().length).toBeGreaterThan(before)
      expect(second.values).toEqual(['v4', 'v5'])
    })
  })
}

/** The partitions a member was last told it has. */
class Assignment {
  partitions: readonly number[] = []
  readonly onAssignment = (partitions: readonly number[]) => {
    this.partitions = partitions
  }
}

/** Resolves when a condition over several readers holds; rejects with the error of any. */
async function settled(readers: readonly Reader[], condition: () => boolean): Promise<void> {
  while (!condition()) {
    for (const { error } of readers) if (error) throw error
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
