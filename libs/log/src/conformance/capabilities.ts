import { describe, expect, test, vi } from 'vitest'
import type { Delivery } from '../event-log.ts'
import { logWith } from '../log-with.ts'
import { bytes, freshTopic, Reader, readAll, record, records } from '../testing/harness.ts'
import type { Context } from './index.ts'

export function capabilities(context: Context): void {
  describe('what a log says it can do', () => {
    test('pipelined: records are copied and have their place before the promise of a publication is kept', async () => {
      const { log } = context
      if (!log.capabilities.pipelined) return
      const topic = await freshTopic(log)
      const first = record('k', 'first', 0)
      const one = log.publish([{ topic, records: [first] }])
      first.value!.fill('x'.charCodeAt(0))
      const two = log.publish([{ topic, records: [record('k', 'second', 0)] }])
      expect(await Promise.all([one, two])).toEqual([[[0]], [[1]]])
      expect((await readAll(log, topic)).map(({ value }) => value)).toEqual(['first', 'second'])
    })

    test('ahead: a record that is handed out can be waited for until it is durable', async () => {
      const { log } = context
      const topic = await freshTopic(log)
      const reader = new Reader(log.consume(topic, { ahead: true }), () => {})
      const durable = log.publish([{ topic, records: records(3, 0) }])
      await reader.until(() => reader.read.length === 3)
      await durable
      expect(await readAll(log, topic)).toEqual(reader.read)
      reader.stop()
    })

    test('erasure: removes what matches and nothing else, and offsets stay', async () => {
      const { log } = context
      const { erasure } = log.capabilities
      if (erasure === undefined) return
      const topic = await freshTopic(log, 2)
      await log.publish([{ topic, records: [...records(5, 0), ...records(5, 1)] }])
      const isTheirs = ({ key }: { key: Uint8Array | null }) =>
        key !== null && bytes('k3').every((b, i) => key[i] === b)
      expect(await erasure.erase(topic, isTheirs)).toBe(2)
      expect(await erasure.erase(topic, () => true, { before: [0, 0] })).toBe(0)
      await erasure.scrub()
      const left = (await readAll(log, topic)).map(({ partition, offset }) => `${partition} ${offset}`)
      expect(left).toEqual([0, 1].flatMap(p => [0, 1, 2, 4].map(offset => `${p} ${offset}`)))
      expect((await log.offsets(topic)).map(({ end }) => end)).toEqual([5, 5])
    })

    test('erasure: knows when a group is done with what it was handed', async () => {
      const { log } = context
      const { erasure } = log.capabilities
      if (erasure === undefined) return
      const topic = await freshTopic(log)
      await log.publish([{ topic, records: records(3, 0) }])
      const group = `g-${topic}`
      await erasure.passed(topic, group)
      const handed: Delivery[] = []
      const reader = log.consume(topic, { group }).subscribe(delivery => handed.push(delivery))
      await vi.waitFor(() => expect(handed).toHaveLength(1))
      let passed = false
      const passing = erasure.passed(topic, group).then(() => {
        passed = true
      })
      handed[0]!.ack()
      await log.publish([{ topic, records: records(1, 0) }])
      expect(passed).toBe(false)
      await log.publish([], { settles: { group, deliveries: handed.slice(0, 1) } })
      await passing
      reader.unsubscribe()
      await erasure.passed(topic, group)
    })

    test('erasure: notes are kept by name, and one counts what was removed', async () => {
      const { erasure } = context.log.capabilities
      if (erasure === undefined) return
      const topic = await freshTopic(context.log)
      await context.log.publish([{ topic, records: records(3, 0) }])
      await erasure.note('a/1', 'one')
      await erasure.note('b/1', 'other')
      await erasure.erase(topic, () => true, { note: removed => ['a/2', `${removed}`] })
      expect(await erasure.notes('a/')).toEqual([
        ['a/1', 'one'],
        ['a/2', '3'],
      ])
      await erasure.note('a/1')
      expect(await erasure.notes('a/')).toEqual([['a/2', '3']])
    })

    test('a log of which a part is replaced can do the same', async () => {
      const { log } = context
      const wrapped = logWith(log, { positions: async () => new Map([[0, 7]]) })
      expect(wrapped.capabilities).toBe(log.capabilities)
      const topic = await freshTopic(wrapped)
      await wrapped.publish([{ topic, records: records(2, 0) }])
      expect(await readAll(wrapped, topic)).toHaveLength(2)
      expect(await wrapped.positions(topic, 'g')).toEqual(new Map([[0, 7]]))
      expect(await wrapped.capabilities.erasure?.erase(topic, () => true)).toBe(log.capabilities.erasure && 2)
    })
  })
}
