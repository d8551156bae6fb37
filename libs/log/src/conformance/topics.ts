import { describe, expect, test } from 'vitest'
import { LogError } from '../event-log.ts'
import { bytes, freshName, freshTopic, Reader, readAll, record, records } from '../testing/harness.ts'
import type { Context } from './index.ts'

const HOUR = 3_600_000

export function topics(context: Context): void {
  describe('topics', () => {
    test('are created once; asking again for the same is no error', async () => {
      const { log } = context
      const name = freshName('t')
      const options = { [name]: { partitions: 3, cleanup: 'delete' as const } }
      await log.ensureTopics(options)
      await log.publish([{ topic: name, records: records(2, 1) }])
      await log.ensureTopics(options)
      expect((await log.offsets(name)).map(({ end }) => end)).toEqual([0, 2, 0])
    })

    test('with another number of partitions or another cleanup are refused, naming both', async () => {
      const { log } = context
      const topic = await freshTopic(log, 3)
      await expect(log.ensureTopics({ [topic]: { partitions: 4, cleanup: 'delete' } })).rejects.toThrow(/3.*4/)
      await expect(log.ensureTopics({ [topic]: { partitions: 3, cleanup: 'compact' } })).rejects.toThrow(
        /delete.*compact/,
      )
      expect(await log.offsets(topic)).toHaveLength(3)
    })

    test('that are there keep their retention, unless told otherwise, and nothing is done of a dry run', async () => {
      const { log } = context
      const [topic, other] = [freshName('t'), freshName('t')]
      const kept = { partitions: 1, cleanup: 'delete' as const, retentionMs: 90 * 24 * HOUR }
      const shorter = { ...kept, retentionMs: 7 * 24 * HOUR }
      expect(await log.ensureTopics({ [topic]: kept }, { dryRun: true })).toMatchObject([{ topic, done: 'created' }])
      await expect(log.offsets(topic)).rejects.toThrow(LogError)
      expect(await log.ensureTopics({ [topic]: kept })).toMatchObject([{ topic, done: 'created' }])
      const differs = { topic, done: 'kept', existing: { retentionMs: kept.retentionMs } }
      for (let i = 0; i < 2; i++) expect(await log.ensureTopics({ [topic]: shorter })).toEqual([differs])
      const altered = { ...differs, done: 'altered' }
      expect(await log.ensureTopics({ [topic]: shorter }, { alter: true, dryRun: true })).toEqual([altered])
      expect(await log.ensureTopics({ [topic]: shorter }, { alter: true })).toEqual([altered])
      expect(await log.ensureTopics({ [topic]: shorter })).toEqual([{ topic, done: 'kept' }])
      // One that does not fit: nothing is done of the others either.
      await expect(log.ensureTopics({ [other]: kept, [topic]: { ...kept, partitions: 2 } })).rejects.toThrow(/1.*2/)
      await expect(log.offsets(other)).rejects.toThrow(LogError)
    })

    test('with impossible options are refused', async () => {
      const { log } = context
      const bad = { partitions: 1, cleanup: 'delete' as const }
      await expect(log.ensureTopics({ 'no spaces': bad })).rejects.toThrow(LogError)
      await expect(log.ensureTopics({ t: { ...bad, partitions: 0 } })).rejects.toThrow(LogError)
      await expect(log.ensureTopics({ t: { ...bad, partitions: 1.5 } })).rejects.toThrow(LogError)
      await expect(log.ensureTopics({ t: { ...bad, retentionMs: -1 } })).rejects.toThrow(LogError)
    })

    test('that do not exist have no offsets or positions', async () => {
      const { log } = context
      await expect(log.offsets('no-such-topic')).rejects.toMatchObject({ name: 'LogError', code: 'TOPIC_MISSING' })
      await expect(log.positions('no-such-topic', 'g')).rejects.toMatchObject({ code: 'TOPIC_MISSING' })
    })

    test('report start and end of each partition', async () => {
      const { log } = context
      const topic = await freshTopic(log, 2)
      const none = { start: 0, end: 0 }
      expect(await log.offsets(topic)).toEqual([
        { partition: 0, ...none },
        { partition: 1, ...none },
      ])
      await log.publish([{ topic, records: records(7, 1) }])
      expect(await log.offsets(topic)).toEqual([
        { partition: 0, ...none },
        { partition: 1, start: 0, end: 7 },
      ])
    })

    test('that are compacted keep the newest record of each key at its offset, and lose deleted keys’ values', async () => {
      const { log } = context
      const topic = await freshTopic(log, 1, 'compact')
      const table = new Map<string, { offset: number; value: string | null }>()
      for (let round = 0; round < 6; round++) {
        const batch = Array.from({ length: 20 }, (_, i) => record(`k${(i * 3 + round) % 25}`, `${round}.${i}`))
        if (round === 4) batch.push(record('k1', null), record('k2', null))
        const [offsets] = await log.publish([{ topic, records: batch }])
        for (const [i, { key, value }] of batch.entries())
          table.set(Buffer.from(key!).toString(), {
            offset: offsets![i]!,
            value: value && Buffer.from(value).toString(),
          })
      }
      await context.clean(topic)
      const read = (await readAll(log, topic)).filter(({ key }) => key !== 'filler')
      // A tombstone may stay for its time or be gone; nothing older than the newest of its key may.
      expect(read.length).toBeLessThanOrEqual(table.size)
      for (const { key, offset, value } of read) expect({ offset, value }).toEqual(table.get(key!))
      const living = [...table].filter(([, { value }]) => value !== null).map(([key]) => key)
      expect(
        read
          .filter(({ value }) => value !== null)
          .map(({ key }) => key)
          .toSorted(),
      ).toEqual(living.toSorted())
      expect(read.map(({ offset }) => offset)).toEqual(read.map(({ offset }) => offset).toSorted((a, b) => a - b))
    })

    test('can be read on from any offset after compaction', async () => {
      const { log } = context
      const topic = await freshTopic(log, 1, 'compact')
      const offsets: number[] = []
      for (let i = 0; i < 10; i++)
        offsets.push(
          (await log.publish([{ topic, records: [record('same', `${i}`), record(`k${i}`, `${i}`)] }]))[0]![0]!,
        )
      await context.clean(topic)
      for (const from of offsets) {
        const reader = await new Reader(log.consume(topic, { untilEnd: true, from: new Map([[0, from]]) })).complete()
        const read = reader.read.filter(({ key }) => key !== 'filler')
        expect(read.every(({ offset }) => offset >= from)).toBe(true)
        expect(read.filter(({ key }) => key === 'same').map(({ value }) => value)).toEqual(['9'])
      }
    })

    test('with a retention drop the oldest, and then refuse to read what is gone', async () => {
      const { log } = context
      const topic = freshName('t')
      await log.ensureTopics({ [topic]: { partitions: 1, cleanup: 'delete', retentionMs: HOUR } })
      const old = { key: bytes('old'), value: bytes('old'), timestamp: Date.now() - 2 * HOUR, partition: 0 }
      await log.publish([{ topic, records: [old, old, old] }])
      await context.clean(topic)
      await log.publish([{ topic, records: [record('new', 'new', 0)] }])
      const [{ start, end } = { start: 0, end: 0 }] = await log.offsets(topic)
      expect(start).toBeGreaterThanOrEqual(3)
      expect(end).toBeGreaterThanOrEqual(4)
      const read = await readAll(log, topic)
      expect(read.filter(({ key }) => key !== 'filler').map(({ value }) => value)).toEqual(['new'])
      const error = await new Reader(log.consume(topic, { from: new Map([[0, 1]]) })).failure()
      expect(error).toBeInstanceOf(LogError)
      expect(String(error)).toMatch(/retention/i)
    })
  })
}
