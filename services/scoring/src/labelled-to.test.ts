import type { StoredRecord } from '@eddy/log'
import { labelCodec } from '@eddy/messages'
import { expect, it } from 'vitest'
import { labelledTo } from './labelled-to.ts'

const label = {
  customer: 'c',
  time: 1,
  model: 'ours',
  snapshotVersion: 3n,
  segment: 's1',
  posterior: Float64Array.of(1),
  logDensity: -1,
  sourcePartition: 2,
  sourceOffset: 80,
  provisional: false,
}
const stored = (value: Uint8Array | null): StoredRecord => ({ offset: 0, key: null, value, headers: {}, timestamp: 0 })

it('goes on after the feature vector of a label of this model and partition, and of no other record', () => {
  const next = labelledTo('ours')
  const value = labelCodec.encode(label)
  expect(next(stored(value), 2)).toBe(81)
  expect(next(stored(value), 1)).toBeUndefined()
  expect(labelledTo('theirs')(stored(value), 2)).toBeUndefined()
  expect(next(stored(null), 2)).toBeUndefined()
  expect(next(stored(Uint8Array.of(1, 2, 3)), 2)).toBeUndefined()
})
