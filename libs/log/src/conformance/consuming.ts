import { describe, expect, test } from 'vitest'
import { type Delivery, LogError } from '../event-log.ts'
import { freshTopic, Reader, record, records } from '../testing/harness.ts'
import type { Context } from './index.ts'

const numbered = (count: number, prefix = 'v') => Array.from({ length: count }, (_, i) => `${prefix}${i}`)

export function consuming(context: Context): void {
  describe('consume', () => {
    test('delivers each partition in offset order, a delivery from one partition', async () => {
      const { log } = context
      const topic = await freshTopic(log, 3)
      for (let round = 0; round < 5; round++)
        await log.publish([0, 1, 2].map(p => ({ topic, records: records(20, p, `${p}.${round}.`) })))
      const reader = await new Reader(log.consume(topic, { untilEnd: true })).complete()
      for (const p of [0, 1, 2])
        expect(reader.valuesOf(p)).toEqual([0, 1, 2, 3, 4].flatMap(round => numbered(20, `${p}.${round}.`)))
      let offsets = new Map<number, number>()
      for (const { partition, records, nextOffset, endOffset } of reader.deliveries) {
        expect(records.length).toBeGreaterThan(0)
        offsets = new Map(offsets).set(partition, nextOffset)
        expect(nextOffset).toBeLessThanOrEqual(endOffset)
      }
      expect(offsets.size).toBe(3)
    })

    test('hands out the next delivery of a partition only after the ack; other partitions go on', async () => {
      const { log } = context
      const topic = await freshTopic(log, 2)
      await log.publish([
        { topic, records: records(5, 0) },
        { topic, records: records(50, 1) },
      ])
      let held: Delivery | undefined
      const reader = new Reader(log.consume(topic, { maxRecords: 1 }), delivery => {
        if (delivery.partition === 0 && !held) held = delivery
        else delivery.ack()
      })
      await reader.until(() => reader.valuesOf(1).length === 50)
      expect(reader.valuesOf(0)).toEqual(['v0'])
      held!.ack()
      held!.ack()
      await reader.until(() => reader.valuesOf(0).length === 5)
      expect(reader.valuesOf(0)).toEqual(numbered(5))
    })

    test('keeps deliveries within maxRecords, across and inside what was published together', async () => {
      const { log } = context
      const topic = await freshTopic(log)
      for (const count of [1, 1, 7, 100, 2]) await log.publish([{ topic, records: records(count, 0, `${count}.`) }])
      for (const maxRecords of [1, 4, 64, 1000]) {
        const reader = await new Reader(log.consume(topic, { untilEnd: true, maxRecords })).complete()
        expect(Math.max(...reader.deliveries.map(({ records }) => records.length))).toBeLessThanOrEqual(maxRecords)
        expect(reader.values).toEqual([1, 1, 7, 100, 2].flatMap(count => numbered(count, `${count}.`)))
      }
    })

    test('goes on at any delivery’s nextOffset, without a gap or a repetition', async () => {
      const { log } = context
      const topic = await freshTopic(log)
      for (let i = 0; i < 4; i++) await log.publish([{ topic, records: records(10, 0, `${i}.`) }])
      const all = await new Reader(log.consume(topic, { untilEnd: true, maxRecords: 7 })).complete()
      let seen = 0
      for (const { nextOffset, records } of all.deliveries) {
        seen += records.length
        const from = new Map([[0, nextOffset]])
        const rest = await new Reader(log.consume(topic, { untilEnd: true, from })).complete()
        expect(rest.values).toEqual(all.values.slice(seen))
      }
    })

    test('follows live', async () => {
      const { log } = context
      const topic = await freshTopic(log)
      const reader = new Reader(log.consume(topic))
      for (let i = 0; i < 3; i++) {
        await log.publish([{ topic, records: [record('k', `${i}`)] }])
        await reader.until(() => reader.values.length === i + 1)
      }
      expect(reader.values).toEqual(['0', '1', '2'])
    })

    test('gives every consumer without a group everything', async () => {
      const { log } = context
      const topic = await freshTopic(log, 2)
      await log.publish([
        { topic, records: records(9, 0) },
        { topic, records: records(8, 1) },
      ])
      const readers = [1, 2].map(() => new Reader(log.consume(topic, { untilEnd: true })))
      for (const reader of readers) expect((await reader.complete()).values).toHaveLength(17)
    })

    test('from latest delivers only what comes later', async () => {
      const { log } = context
      const topic = await freshTopic(log)
      await log.publish([{ topic, records: [record('k', 'before')] }])
      const reader = new Reader(log.consume(topic, { from: 'latest' }))
      // When exactly the consumer looks at the end is its own affair: publish until it has seen something.
      for (let i = 0; reader.values.length === 0; i++) {
        await log.publish([{ topic, records: [record('k', `after ${i}`)] }])
        await new Promise(resolve => setTimeout(resolve, 20))
      }
      expect(reader.values[0]).toMatch(/^after/)
    })

    test('from a map begins there; partitions it does not name begin at the start', async () => {
      const { log } = context
      const topic = await freshTopic(log, 2)
      const [offsets] = await log.publish([{ topic, records: [...records(5, 0), ...records(5, 1)] }])
      const from = new Map([[0, offsets![3]!]])
      const reader = await new Reader(log.consume(topic, { untilEnd: true, from })).complete()
      expect(reader.valuesOf(0)).toEqual(['v3', 'v4'])
      expect(reader.valuesOf(1)).toEqual(numbered(5))
    })

    test('from a function is asked with the assigned partitions', async () => {
      const { log } = context
      const topic = await freshTopic(log, 3)
      await log.publish([0, 1, 2].map(p => ({ topic, records: records(4, p) })))
      const asked: number[] = []
      const from = async (partitions: readonly number[]) => {
        asked.push(...partitions)
        return new Map(partitions.map(p => [p, p]))
      }
      const reader = await new Reader(log.consume(topic, { untilEnd: true, from })).complete()
      expect(asked.toSorted()).toEqual([0, 1, 2])
      for (const p of [0, 1, 2]) expect(reader.valuesOf(p)).toEqual(numbered(4).slice(p))
    })

    test('a failing from function errors the stream', async () => {
      const { log } = context
      const topic = await freshTopic(log)
      const reader = new Reader(log.consume(topic, { from: () => Promise.reject(new Error('ledger is gone')) }))
      const error = await reader.failure()
      expect(error).toBeInstanceOf(LogError)
      expect(String(error)).toContain('ledger is gone')
    })

    test('an offset beyond the end errors the stream', async () => {
      const { log } = context
      const topic = await freshTopic(log)
      await log.publish([{ topic, records: records(3, 0) }])
      const error = await new Reader(log.consume(topic, { from: new Map([[0, 1000]]) })).failure()
      expect(error).toBeInstanceOf(LogError)
      expect(String(error)).toMatch(/1000/)
    })

    test('untilEnd completes on an empty topic, and otherwise after the last ack', async () => {
      const { log } = context
      const topic = await freshTopic(log, 2)
      await new Reader(log.consume(topic, { untilEnd: true })).complete()
      await log.publish([{ topic, records: records(3, 1) }])
      const reader = new Reader(log.consume(topic, { untilEnd: true }), () => {})
      await reader.until(() => reader.deliveries.length === 1)
      await log.publish([{ topic, records: records(1, 0, 'late') }])
      expect(reader.completed).toBe(false)
      reader.deliveries[0]!.ack()
      await reader.complete()
      expect(reader.values).toEqual(numbered(3))
    })

    test('untilEnd with maxRecords stops at the end seen at the start', async () => {
      const { log } = context
      const topic = await freshTopic(log)
      await log.publish([{ topic, records: records(10, 0) }])
      const reader = new Reader(log.consume(topic, { untilEnd: true, maxRecords: 3 }), async delivery => {
        await log.publish([{ topic, records: records(5, 0, 'late') }])
        delivery.ack()
      })
      expect((await reader.complete()).values).toEqual(numbered(10))
    })

    test('a signal ends the stream when the outstanding deliveries are acknowledged', async () => {
      const { log } = context
      const topic = await freshTopic(log, 2)
      await log.publish([
        { topic, records: records(5, 0) },
        { topic, records: records(5, 1) },
      ])
      const stop = new AbortController()
      const reader = new Reader(log.consume(topic, { signal: stop.signal, maxRecords: 1 }), () => {})
      await reader.until(() => reader.deliveries.length === 2)
      stop.abort()
      reader.deliveries[0]!.ack()
      // The log does something else in between: the stream is still open, and silent.
      await log.publish([{ topic, records: records(1, 0, 'late') }])
      expect([reader.completed, reader.deliveries.length]).toEqual([false, 2])
      reader.deliveries[1]!.ack()
      await reader.complete()
      expect(reader.deliveries).toHaveLength(2)
      const aborted = await new Reader(log.consume(topic, { signal: AbortSignal.abort() })).complete()
      expect(aborted.deliveries).toEqual([])
    })

    test('unsubscribing ends it at once', async () => {
      const { log } = context
      const topic = await freshTopic(log)
      await log.publish([{ topic, records: records(5, 0) }])
      const reader = new Reader(log.consume(topic, { maxRecords: 1 }), () => {})
      await reader.until(() => reader.deliveries.length === 1)
      reader.stop()
      reader.deliveries[0]!.ack()
      await new Reader(log.consume(topic, { untilEnd: true })).complete()
      expect(reader.deliveries).toHaveLength(1)
      expect(reader.completed).toBe(false)
    })

    test('of an unknown topic errors the stream', async () => {
      const error = await new Reader(context.log.consume('no-such-topic')).failure()
      expect(error).toBeInstanceOf(LogError)
      expect(String(error)).toContain('no-such-topic')
    })

    test('close completes the consumers; then everything is refused', async () => {
      const { log } = context
      const topic = await freshTopic(log)
      await log.publish([{ topic, records: records(2, 0) }])
      const reader = new Reader(log.consume(topic, { maxRecords: 1 }), () => {})
      await reader.until(() => reader.deliveries.length === 1)
      await log.close()
      await log.close()
      expect(reader.completed).toBe(true)
      await expect(log.publish([{ topic, records: records(1, 0) }])).rejects.toThrow(LogError)
      await expect(log.offsets(topic)).rejects.toThrow(LogError)
      await expect(log.positions(topic, 'g')).rejects.toThrow(LogError)
      await expect(log.ensureTopics({ [topic]: { partitions: 1, cleanup: 'delete' } })).rejects.toThrow(LogError)
      expect(await new Reader(log.consume(topic)).failure()).toBeInstanceOf(LogError)
    })
  })
}
