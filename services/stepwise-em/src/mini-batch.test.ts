import { featureSchema, featureVectorCodec, hashOffset } from '@eddy/messages'
import { expect, it } from 'vitest'
import { MiniBatch } from './mini-batch.ts'
import { delivery, schema } from './testing.ts'

/** Offset n holds the features n and −n, and the weight n + 1. */
const record = (offset: number) => ({
  offset,
  key: null,
  value: featureVectorCodec.encode({
    customer: 'c',
    time: 0,
    weight: offset + 1,
    features: Float64Array.of(offset, -offset),
  }),
  headers: {},
  timestamp: 0,
})
const records = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => record(from + i))
const hashOf = (offsets: readonly number[]) =>
  offsets.reduce((sum, offset) => BigInt.asUintN(64, sum + hashOffset(3, offset)), 0n)

/** What a batch holds, by the offsets that its values, its weights and its hash are of. */
function heldBy(batch: MiniBatch): number[] {
  const { block, weights } = batch.contents()
  const offsets = Array.from({ length: block.rows }, (_, n) => block.values[2 * n]!)
  expect([...block.values]).toEqual(offsets.flatMap(offset => [offset, -offset]))
  expect([...weights]).toEqual(offsets.map(offset => offset + 1))
  expect(batch.offsetsHash()).toBe(hashOf(offsets))
  return offsets
}

it('takes each offset once, however deliveries overlap, and says where it stopped', () => {
  const batch = new MiniBatch(3, 2, 6, schema)
  expect(batch.take(delivery(records(0, 5)), 0)).toBe(5)
  expect(heldBy(batch)).toEqual([2, 3, 4])
  const overlapping = delivery(records(3, 11))
  expect(batch.take(overlapping, 0)).toBe(5)
  expect(heldBy(batch)).toEqual([2, 3, 4, 5, 6, 7])
  expect([batch.full, batch.from, batch.to]).toEqual([true, 2, 8])
  batch.next()
  expect(batch.take(overlapping, 5)).toBe(8)
  expect(heldBy(batch)).toEqual([8, 9, 10])
  expect([batch.from, batch.to]).toEqual([8, 11])
})

it('ends where the delivery ends, not with its last record: what was erased there is passed', () => {
  const batch = new MiniBatch(3, 0, 6, schema)
  batch.take(delivery(records(0, 2), { nextOffset: 5 }), 0)
  expect([batch.rows, batch.to]).toEqual([2, 5])
})

it('drops what another worker has learned: values, weights and offsets of the rest stay together', () => {
  const batch = new MiniBatch(3, 0, 6, schema)
  batch.take(delivery(records(0, 5)), 0)
  batch.dropBefore(3)
  expect(heldBy(batch)).toEqual([3, 4])
  expect([batch.from, batch.to]).toEqual([3, 5])
  batch.take(delivery(records(5, 7)), 0)
  expect(heldBy(batch)).toEqual([3, 4, 5, 6])
  // Beyond all it holds: what lies between comes no more.
  batch.dropBefore(9)
  expect([heldBy(batch), batch.from, batch.to]).toEqual([[], 9, 9])
  batch.take(delivery(records(5, 11)), 0)
  expect(heldBy(batch)).toEqual([9, 10])
})

it('passes over what is not a vector of its schema: of another order, of another number, and no vector at all', () => {
  const batch = new MiniBatch(3, 0, 6, schema)
  const swapped = featureSchema([
    { name: 'y', type: 'number' },
    { name: 'x', type: 'number' },
  ])
  const vector = { customer: 'c', time: 0, weight: 2, features: Float64Array.of(1, -1) }
  const values = [
    featureVectorCodec.encode({ ...vector, schema: swapped.identity }),
    featureVectorCodec.encode({ ...vector, schema: schema.identity }),
    featureVectorCodec.encode({ ...vector, features: Float64Array.of(1) }),
    Buffer.from('?'),
  ]
  batch.take(delivery(values.map((value, offset) => ({ ...record(offset), value }))), 0)
  expect(heldBy(batch)).toEqual([1])
  expect([batch.unfit, batch.to]).toEqual([3, 4])
})
