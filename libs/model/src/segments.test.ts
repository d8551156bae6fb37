import { expect, it } from 'vitest'
import { describeSegments } from './segments.ts'
import { firstSnapshot } from './testing.ts'

it('describes segments in the user’s units, heaviest first', () => {
  const first = firstSnapshot()
  const parameters = { ...first.parameters, weights: Float64Array.of(0.3, 0.7) }
  const described = describeSegments({ ...first, parameters })
  expect(described.map(({ id, weight }) => [id, weight])).toEqual([
    ['s2', 0.7],
    ['s1', 0.3],
  ])
  // The segments of its events are about 0 and about 5, whichever is which.
  const centres = described.map(({ centre }) => Math.round(centre.x as number))
  expect(centres.toSorted((a, b) => a - b)).toEqual([0, 5])
  for (const { centre, mean } of described) {
    expect(mean).toEqual(centre)
    expect(Object.keys(centre)).toEqual(['x', 'y'])
    expect(Math.abs((centre.x as number) - (centre.y as number))).toBeLessThan(1)
  }
})
