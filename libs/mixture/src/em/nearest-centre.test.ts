import { expect, test } from 'vitest'
import { assignNearest, moveCentres, relocateEmpty } from './nearest-centre.ts'

test('a centre without events gets the one that is furthest from its own', () => {
  const block = { rows: 5, columns: 1, values: Float64Array.of(0, 1, 2, 50, 10) }
  const weights = Float64Array.of(1, 1, 1, 2, 1)
  const centres = Float64Array.of(1, 1000, 2000)
  const responsibilities = new Float64Array(15)
  expect(assignNearest(block, weights, centres, 3, responsibilities)).toBe(1 + 0 + 1 + 2 * 49 ** 2 + 81)
  relocateEmpty(block, centres, 3, responsibilities)
  moveCentres(block, responsibilities, centres, 3)
  expect([...centres]).toEqual([1, 50, 10])
  expect([...responsibilities]).toEqual([1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1])
})

test('no event leaves its centre where none is far from it', () => {
  const block = { rows: 3, columns: 1, values: Float64Array.of(4, 4, 4) }
  const centres = Float64Array.of(4, 9)
  const responsibilities = new Float64Array(6)
  assignNearest(block, undefined, centres, 2, responsibilities)
  relocateEmpty(block, centres, 2, responsibilities)
  expect([...responsibilities]).toEqual([1, 0, 1, 0, 1, 0])
})
