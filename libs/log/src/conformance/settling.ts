import { describe, expect, test } from 'vitest'
import { type Delivery, type EventLog, LogError } from '../event-log.ts'
import { freshName, freshTopic, Reader, readAll, record, records } from '../testing/harness.ts'
import type { Context } from './index.ts'

export function settling(context: Context): void {
  describe('publish with settles', () => {
    test('commits positions together with the records', async () => {
      const { log } = context
      const [input, output, group] = [await freshTopic(log), await freshTopic(log), freshName('g')]
      await log.publish([{ topic: input, records: records(10, 0) }])
      const reader = new Reader(log.consume(input, { group, maxRecords: 4 }), () => {})
      await reader.until(() => reader.deliveries.length === 1)
      const [delivery] = reader.deliveries
      expect(await log.positions(input, group)).toEqual(new Map())
      await log.publish([{ topic: output, records: [record('k', 'done')] }], {
        settles: { group, deliveries: [delivery!] },
      })
      expect(await log.positions(input, group)).toEqual(new Map([[0, delivery!.nextOffset]]))
      const again = await context.reopen()
      expect(await again.positions(input, group)).toEqual(new Map([[0, delivery!.nextOffset]]))
      expect((await readAll(again, output)).map(({ value }) => value)).toEqual(['done'])
      const rest = new Reader(again.consume(input, { group }))
      await rest.until(() => rest.read.length >= 6)
      expect(rest.values).toEqual(['v4', 'v5', 'v6', 'v7', 'v8', 'v9'])
    })

    test('without it, an ack does not move the position: after a crash the deliveries come again', async () => {
      const { log } = context
      const [topic, group] = [await freshTopic(log), freshName('g')]
      await log.publish([{ topic, records: records(5, 0) }])
      const reader = new Reader(log.consume(topic, { group }))
      await reader.until(() => reader.read.length === 5)
      const again = await context.reopen()
      const second = new Reader(again.consume(topic, { group }))
      await second.until(() => second.read.length >= 5)
      expect(second.values).toEqual(reader.values)
    })

    test('of nothing but positions commits them', async () => {
      const { log } = context
      const [topic, group] = [await freshTopic(log), freshName('g')]
      await log.publish([{ topic, records: records(5, 0) }])
      const reader = new Reader(log.consume(topic, { group, maxRecords: 2 }))
      await reader.until(() => reader.read.length === 5)
      await log.publish([], { settles: { group, deliveries: reader.deliveries } })
      expect(await log.positions(topic, group)).toEqual(new Map([[0, reader.deliveries.at(-1)!.nextOffset]]))
    })

    test('commits nothing when a record is refused', async () => {
      const { log } = context
      const [topic, output, group] = [await freshTopic(log), await freshTopic(log), freshName('g')]
      await log.publish([{ topic, records: records(5, 0) }])
      const reader = new Reader(log.consume(topic, { group }), () => {})
      await reader.until(() => reader.deliveries.length === 1)
      const bad = { topic: output, records: [record('k', 'good'), record('k', 'bad', 99)] }
      await expect(log.publish([bad], { settles: { group, deliveries: reader.deliveries } })).rejects.toThrow(LogError)
      expect(await log.positions(topic, group)).toEqual(new Map())
      expect(await readAll(log, output)).toEqual([])
    })

    test('refuses deliveries of several partitions', async () => {
      const { log } = context
      const [topic, group] = [await freshTopic(log, 2), freshName('g')]
      await log.publish([0, 1].map(p => ({ topic, records: records(5, p) })))
      const reader = new Reader(log.consume(topic, { group }), () => {})
      await reader.until(() => reader.deliveries.length === 2)
      await expect(log.publish([], { settles: { group, deliveries: reader.deliveries } })).rejects.toThrow(LogError)
      expect(await log.positions(topic, group)).toEqual(new Map())
    })

    test('refuses a zombie: a delivery whose partition another member has been given since', async () => {
      const { log } = context
      const [topic, output, group] = [await freshTopic(log), await freshTopic(log), freshName('g')]
      await log.publish([{ topic, records: records(5, 0) }])
      const zombie = new Reader(log.consume(topic, { group }), () => {})
      await zombie.until(() => zombie.deliveries.length === 1)
      zombie.stop()
      const heir = new Reader(log.consume(topic, { group }), () => {})
      await heir.until(() => heir.deliveries.length === 1)
      const settle = (deliveries: Delivery[], value: string) =>
        log.publish([{ topic: output, records: [record('k', value)] }], { settles: { group, deliveries } })
      await expect(settle(zombie.deliveries, 'zombie')).rejects.toThrow(LogError)
      await settle(heir.deliveries, 'heir')
      expect((await readAll(log, output)).map(({ value }) => value)).toEqual(['heir'])
    })

    test('makes a relay exactly-once through crashes between any two of its steps', async () => {
      const partitions = 2
      const count = 40
      const input = await freshTopic(context.log, partitions)
      const output = await freshTopic(context.log, partitions)
      const group = freshName('g')
      await context.log.publish([0, 1].map(p => ({ topic: input, records: records(count, p, `${p}.`) })))
      for (let life = 0; life < 6; life++) {
        const log = life === 0 ? context.log : await context.reopen()
        await relay(log, { input, output, group, failAfter: 3 + life })
      }
      const log = await context.reopen()
      await relay(log, { input, output, group, failAfter: Infinity })
      const read = await readAll(log, output)
      for (const p of [0, 1])
        expect(read.filter(({ partition }) => partition === p).map(({ value }) => value)).toEqual(
          Array.from({ length: count }, (_, i) => `${p}.${i}`),
        )
    })
  })
}

interface Relay {
  readonly input: string
  readonly output: string
  readonly group: string
  /** Stops dead after so many deliveries: at the last one before its publication, or after it and before the ack. */
  readonly failAfter: number
}

function relay(log: EventLog, { input, output, group, failAfter }: Relay): Promise<void> {
  return new Promise((resolve, reject) => {
    let taken = 0
    const subscription = log.consume(input, { group, maxRecords: 5, untilEnd: true }).subscribe({
      next: async delivery => {
        const mine = ++taken
        if (mine === failAfter && failAfter % 2 === 0) return stop()
        if (mine > failAfter) return
        const copies = delivery.records.map(({ key, value }) => ({ key, value, partition: delivery.partition }))
        await log
          .publish([{ topic: output, records: copies }], { settles: { group, deliveries: [delivery] } })
          .catch(reject)
        if (mine === failAfter) return stop()
        delivery.ack()
      },
      complete: resolve,
      error: reject,
    })
    function stop() {
      subscription.unsubscribe()
      resolve()
    }
  })
}
