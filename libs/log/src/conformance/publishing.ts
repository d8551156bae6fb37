import { describe, expect, test } from 'vitest'
import { LogError, type StoredRecord } from '../event-log.ts'
import { partitionOfKey } from '../partition-of-key.ts'
import { RecordPacker } from '../record-packer.ts'
import { bytes, freshTopic, Reader, readAll, record, records } from '../testing/harness.ts'
import type { Context } from './index.ts'

export function publishing(context: Context): void {
  describe('publish', () => {
    test('returns the offsets under which the records are read', async () => {
      const { log } = context
      const topic = await freshTopic(log, 2)
      const [first] = await log.publish([
        { topic, records: [record('a', '1', 0), record('b', '2', 1), record('c', '3', 0)] },
      ])
      const [second, third] = await log.publish([
        { topic, records: [record('d', '4', 0)] },
        { topic, records: [record('e', '5', 0), record('f', '6', 1)] },
      ])
      const read = await readAll(log, topic)
      const expected = [
        { partition: 0, offset: first![0], key: 'a', value: '1' },
        { partition: 0, offset: first![2], key: 'c', value: '3' },
        { partition: 0, offset: second![0], key: 'd', value: '4' },
        { partition: 0, offset: third![0], key: 'e', value: '5' },
      ]
      expect(read.filter(({ partition }) => partition === 0)).toEqual(expected)
      expect(read.filter(({ partition }) => partition === 1)).toEqual([
        { partition: 1, offset: first![1], key: 'b', value: '2' },
        { partition: 1, offset: third![1], key: 'f', value: '6' },
      ])
    })

    test('places a key by its murmur2 hash, unless a partition is named', async () => {
      const { log } = context
      const topic = await freshTopic(log, 5)
      const keys = Array.from({ length: 50 }, (_, i) => `customer-${i * 7919}`)
      await log.publish([{ topic, records: keys.map(key => record(key, key)) }])
      await log.publish([{ topic, records: [record('customer-0', 'named', 3), record(null, 'keyless', 4)] }])
      const read = await readAll(log, topic)
      expect(read).toHaveLength(52)
      for (const { partition, key, value } of read)
        if (value === 'named') expect(partition).toBe(3)
        else if (value === 'keyless') expect(partition).toBe(4)
        else expect(partition).toBe(partitionOfKey(bytes(key!), 5))
    })

    test('stores what its writer has packed as it stores records', async () => {
      const { log } = context
      const topic = await freshTopic(log, 2)
      const packer = new RecordPacker()
      const packed = (partition: number, from: number, to: number) => {
        packer.clear(to - from)
        for (let i = from; i < to; i++) {
          const key = bytes(`k${i}`)
          packer.open(1000 + i, key, 0, key.length)
          packer.close(packer.write(bytes(`v${i}`), 0, `v${i}`.length), i === 1 ? { h: bytes('x') } : undefined)
        }
        return packer.finish(topic, partition)!
      }
      const [first] = await log.publish([packed(1, 0, 3)])
      // Beside others of the same topic, and more than one batch holds.
      const [second, third] = await log.publish([{ topic, records: [record('a', 'b', 1)] }, packed(1, 3, 5)])
      const [fourth] = await log.publish([packed(1, 5, 5005)])
      const times: number[] = []
      const headers: string[][] = []
      const { read } = await new Reader(log.consume(topic, { untilEnd: true }), delivery => {
        times.push(...delivery.records.map(({ timestamp }) => timestamp))
        headers.push(...delivery.records.map(({ headers }) => Object.keys(headers)))
        delivery.ack()
      }).complete()
      const offsets = [...first!, ...second!, ...third!, ...fourth!]
      const values = ['v0', 'v1', 'v2', 'b', ...Array.from({ length: 5002 }, (_, i) => `v${i + 3}`)]
      expect(read.map(({ partition, offset, value }) => [partition, offset, value])).toEqual(
        values.map((value, i) => [1, offsets[i], value]),
      )
      expect(times.slice(0, 3)).toEqual([1000, 1001, 1002])
      expect(headers.slice(0, 3)).toEqual([[], ['h'], []])
      await expect(log.publish([packed(2, 0, 1)])).rejects.toThrow(LogError)
    })

    test('keeps keys, values, headers and timestamps to the byte', async () => {
      const { log } = context
      const topic = await freshTopic(log)
      const binary = Uint8Array.from({ length: 256 }, (_, i) => i)
      const headers = { ce_type: bytes('eddy.event'), naïve: binary, empty: new Uint8Array(0) }
      await log.publish([
        {
          topic,
          records: [
            { key: binary, value: binary, headers, timestamp: 1_000_000_000_123, partition: 0 },
            { key: new Uint8Array(0), value: new Uint8Array(0), timestamp: 1, partition: 0 },
            { key: bytes('k'), value: null, timestamp: 2, partition: 0 },
            { key: null, value: bytes('v'), timestamp: 3, partition: 0 },
          ],
        },
      ])
      const read: Omit<StoredRecord, 'offset'>[] = []
      await new Reader(log.consume(topic, { untilEnd: true }), delivery => {
        for (const { key, value, headers, timestamp } of delivery.records)
          read.push({
            key: key && Uint8Array.from(key),
            value: value && Uint8Array.from(value),
            headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Uint8Array.from(value)])),
            timestamp,
          })
        delivery.ack()
      }).complete()
      const none = new Uint8Array(0)
      expect(read).toEqual([
        {
          key: binary,
          value: binary,
          headers: { ce_type: Uint8Array.from(bytes('eddy.event')), naïve: binary, empty: none },
          timestamp: 1_000_000_000_123,
        },
        { key: none, value: none, headers: {}, timestamp: 1 },
        { key: Uint8Array.from(bytes('k')), value: null, headers: {}, timestamp: 2 },
        { key: null, value: Uint8Array.from(bytes('v')), headers: {}, timestamp: 3 },
      ])
    })

    test('stamps a record without a timestamp with the time of publication', async () => {
      const { log } = context
      const topic = await freshTopic(log)
      const before = Date.now()
      await log.publish([{ topic, records: [record('k', 'v')] }])
      const after = Date.now()
      let timestamp = 0
      await new Reader(log.consume(topic, { untilEnd: true }), delivery => {
        timestamp = delivery.records[0]!.timestamp
        delivery.ack()
      }).complete()
      expect(timestamp).toBeGreaterThanOrEqual(before)
      expect(timestamp).toBeLessThanOrEqual(after)
    })

    test('stores big records', async () => {
      const { log } = context
      const topic = await freshTopic(log)
      const big = 'x'.repeat(900_000)
      await log.publish([{ topic, records: [record('small', 'a')] }])
      await log.publish([{ topic, records: [record('big', big)] }])
      await log.publish([{ topic, records: [record('small', 'b')] }])
      expect((await readAll(log, topic)).map(({ value }) => value)).toEqual(['a', big, 'b'])
    })

    test('stores concurrent publications once each, in the order of the calls within a partition', async () => {
      const { log } = context
      const topic = await freshTopic(log)
      const offsets = await Promise.all(
        Array.from({ length: 100 }, (_, i) => log.publish([{ topic, records: [record('k', `${i}`)] }])),
      )
      const read = await readAll(log, topic)
      expect(read.map(({ value }) => value)).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`))
      expect(read.map(({ offset }) => offset)).toEqual(offsets.map(([of]) => of![0]))
    })

    test('of nothing resolves', async () => {
      const { log } = context
      const topic = await freshTopic(log)
      expect(await log.publish([])).toEqual([])
      expect(await log.publish([{ topic, records: [] }])).toEqual([[]])
    })

    test('refuses what it cannot place, and then stores nothing of the call', async () => {
      const { log } = context
      const topic = await freshTopic(log, 2)
      const good = { topic, records: records(3, 0) }
      const bad = [
        { topic, records: [record(null, 'keyless')] },
        { topic, records: [record('k', 'v', 2)] },
        { topic, records: [record('k', 'v', -1)] },
        { topic, records: [{ key: null, value: null, partition: 0.5 }] },
        { topic, records: [{ key: null, value: null, partition: 0, timestamp: Number.NaN }] },
        { topic: 'no-such-topic', records: [record('k', 'v')] },
      ]
      for (const publication of bad) await expect(log.publish([good, publication])).rejects.toThrow(LogError)
      expect(await readAll(log, topic)).toEqual([])
    })

    test('refuses a record without a key on a compacted topic', async () => {
      const { log } = context
      const topic = await freshTopic(log, 1, 'compact')
      await expect(log.publish([{ topic, records: [record(null, 'v', 0)] }])).rejects.toThrow(LogError)
    })

    test('is durable when it resolves, and when close() was called before it did', async () => {
      const { log } = context
      const topic = await freshTopic(log)
      await log.publish([{ topic, records: [record('k', 'awaited')] }])
      const pending = log.publish([{ topic, records: [record('k', 'pending')] }])
      const again = await context.reopen()
      await pending
      expect((await readAll(again, topic)).map(({ value }) => value)).toEqual(['awaited', 'pending'])
    })
  })
}
