import type { Delivery } from '@eddy/log'
import { type Label, labelCodec } from '@eddy/messages'
import { labelJson } from '@eddy/model'
import { expect, it } from 'vitest'
import { LabelChunks } from './label-chunks.ts'

const labelOf = (customer: string): Label => ({
  customer,
  time: 1,
  model: 'test',
  snapshotVersion: 1n,
  segment: 's1',
  posterior: Float64Array.of(1),
  logDensity: -2,
  sourcePartition: 0,
  sourceOffset: 3,
  provisional: false,
})

function delivered(partition: number, offset: number, ...customers: readonly string[]): Delivery {
  const records = customers.map((customer, i) => ({
    offset: offset + i,
    key: null,
    value: labelCodec.encode(labelOf(customer)).slice(),
    headers: {},
    timestamp: 0,
  }))
  const nextOffset = offset + records.length
  return { topic: 'labels', partition, records, nextOffset, endOffset: nextOffset, ack: () => {} }
}

const linesOf = (partition: number, offset: number, ...customers: readonly string[]): string =>
  customers
    .map(
      (customer, i) =>
        `${JSON.stringify({ ...labelJson(labelOf(customer)), at: { partition, offset: offset + i } })}\n`,
    )
    .join('')

it('encodes what readers are handed alike once, and never takes one delivery for another', () => {
  const chunks = new LabelChunks()
  const chunk = chunks.of(delivered(0, 5, 'a', 'b'))
  expect(chunk.toString()).toBe(linesOf(0, 5, 'a', 'b'))
  expect(chunks.of(delivered(0, 5, 'a', 'b'))).toBe(chunk)
  // Another partition, a delivery that ends sooner, and one that begins later.
  expect(chunks.of(delivered(1, 5, 'c', 'd')).toString()).toBe(linesOf(1, 5, 'c', 'd'))
  expect(chunks.of(delivered(0, 5, 'a')).toString()).toBe(linesOf(0, 5, 'a'))
  expect(chunks.of(delivered(0, 6, 'b')).toString()).toBe(linesOf(0, 6, 'b'))
})

it('forgets the oldest beyond eight megabytes, and everything when records were erased', () => {
  const chunks = new LabelChunks()
  const large = (n: number) => delivered(0, n, `${n}`.padStart(3 << 20, 'x'))
  const [first, second] = [chunks.of(large(0)), chunks.of(large(1))]
  expect(chunks.of(large(0))).toBe(first)
  chunks.of(large(2))
  expect(chunks.of(large(1))).toBe(second)
  expect(chunks.of(large(0))).not.toBe(first)
  // An erased record leaves the offsets of its delivery as they were.
  const before = chunks.of(delivered(0, 50, 'a', 'gone'))
  chunks.clear()
  const after = delivered(0, 50, 'a')
  expect(chunks.of({ ...after, nextOffset: 52 }).toString()).toBe(linesOf(0, 50, 'a'))
  expect(before.toString()).toContain('gone')
})
