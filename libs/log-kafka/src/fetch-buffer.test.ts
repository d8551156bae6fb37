import type { StoredRecord } from '@eddy/log'
import { expect, test } from 'vitest'
import { FetchBuffer } from './fetch-buffer.ts'

const record = (offset: number, bytes = 0): StoredRecord => ({
  offset,
  timestamp: 0,
  key: null,
  value: Buffer.alloc(bytes),
  headers: {},
})

/** Offsets 0, 1, 2 and a marker, then 4, 5 and two markers. */
function filled(): FetchBuffer {
  const buffer = new FetchBuffer()
  buffer.add(
    [0, 1, 2].map(offset => record(offset)),
    4,
  )
  buffer.add(
    [4, 5].map(offset => record(offset)),
    8,
  )
  return buffer
}

function taken(buffer: FetchBuffer, most: number, limit = Infinity) {
  const { records, nextOffset } = buffer.take(most, limit)
  return { offsets: records.map(({ offset }) => offset), nextOffset, first: buffer.firstOffset, left: buffer.length }
}

test('records are taken in order across fetches, and markers passed over', () => {
  const buffer = filled()
  expect(taken(buffer, 2)).toEqual({ offsets: [0, 1], nextOffset: 2, first: 2, left: 3 })
  expect(taken(buffer, 2)).toEqual({ offsets: [2, 4], nextOffset: 5, first: 5, left: 1 })
  expect(buffer.isEmpty).toBe(false)
  expect(taken(buffer, 2)).toEqual({ offsets: [5], nextOffset: 8, first: undefined, left: 0 })
  expect(buffer.isEmpty).toBe(true)
})

test('none is taken at the limit or beyond', () => {
  const buffer = filled()
  expect(taken(buffer, 10, 5)).toEqual({ offsets: [0, 1, 2, 4], nextOffset: 5, first: 5, left: 1 })
  expect(taken(buffer, 10, 5)).toEqual({ offsets: [], nextOffset: 5, first: 5, left: 1 })
})

test('where a marker is at the limit, the limit comes next', () => {
  expect(taken(filled(), 10, 3)).toEqual({ offsets: [0, 1, 2], nextOffset: 3, first: 4, left: 2 })
})

test('it is full above 2 MiB, and has room again below half of them', () => {
  const buffer = new FetchBuffer()
  const quarter = (offset: number) => record(offset, 2 ** 19 - 64)
  buffer.add([0, 1, 2, 3].map(quarter), 4)
  expect(buffer.isFull).toBe(false)
  buffer.add([record(4)], 5)
  expect(buffer.isFull).toBe(true)
  buffer.take(2, Infinity)
  expect([buffer.isFull, buffer.hasRoom]).toEqual([false, false])
  buffer.take(1, Infinity)
  expect(buffer.hasRoom).toBe(true)
})
