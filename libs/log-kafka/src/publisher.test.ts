import { expect, test } from 'vitest'
import { FencedError, type KafkaDriver, type KafkaProducer } from './driver.ts'
import { Publisher } from './publisher.ts'

test('who is fenced off publishes nothing more before it is given the partition again', async () => {
  const sent: string[] = []
  const taken: string[] = []
  let fenced = false
  const producer = (id?: string): KafkaProducer => ({
    async initialise() {
      taken.push(String(id))
    },
    async send(batches) {
      if (fenced) throw new FencedError('a newer producer has the id')
      sent.push(...batches.flatMap(({ records }) => records.map(({ value }) => String(value))))
      return batches.map(() => 0)
    },
    async close() {},
  })
  const driver = { producer } as unknown as KafkaDriver
  const publisher = new Publisher(driver, 1000, async () => ({ partitions: 1, cleanup: 'delete' }))
  const publish = (value: string) =>
    publisher.publish([{ topic: 't', records: [{ key: null, value: Buffer.from(value), partition: 0 }] }], {
      settles: { group: 'g', deliveries: [{ topic: 'in', partition: 0, nextOffset: 1 }] },
    })
  await publisher.take('g', 'in', 0)
  await publish('a')
  fenced = true
  await expect(publish('b')).rejects.toThrow(/given to another member/)
  // A library may forget that it was fenced off, and take the id back from whoever has it now.
  fenced = false
  await expect(publish('c')).rejects.toThrow(/given to another member/)
  await publisher.take('g', 'in', 0)
  await publish('d')
  expect(sent).toEqual(['a', 'd'])
  expect(taken).toEqual(['g.in.0', 'g.in.0'])
})
