import { expect, test } from 'vitest'
import { indexOfLargest } from './index-of-largest.ts'

test('the largest of a row, and the first of equals', () => {
  const rows = Float64Array.of(0.1, 0.7, 0.2, 0.4, 0.2, 0.4, 0.25, 0.25, 0.25)
  expect([0, 3, 6].map(from => indexOfLargest(rows, from, 3))).toEqual([1, 0, 0])
  expect(indexOfLargest(Float64Array.of(-Infinity, -Infinity, -5))).toBe(2)
  expect(indexOfLargest(Float64Array.of(1, Number.NaN, 2))).toBe(2)
})
