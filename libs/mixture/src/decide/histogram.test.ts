import { expect, test } from 'vitest'
import { LOWEST_LOG_DENSITY } from '../numerics/log-sum-exp.ts'
import { random, standardNormal } from '../numerics/random.ts'
import { fitHistogram, histogramLogDensity } from './histogram.ts'

const uniform = random(1)
const block = { rows: 2000, columns: 2, values: Float64Array.from({ length: 4000 }, () => standardNormal(uniform)) }

for (const smoothing of [0, 0.5])
  test(`integrates to 1 over its grid, smoothing ${smoothing}`, () => {
    const histogram = fitHistogram(block, undefined, 8, smoothing)
    const [lowX, lowY] = histogram.low
    const [w, h] = histogram.width
    const centres = Array.from({ length: 64 }, (_, i) => [lowX! + ((i % 8) + 0.5) * w!, lowY! + ((i >> 3) + 0.5) * h!])
    const logs = histogramLogDensity(histogram, { rows: 64, columns: 2, values: Float64Array.from(centres.flat()) })
    expect(logs.reduce((sum, l) => sum + Math.exp(l) * w! * h!, 0)).toBeCloseTo(1, 12)
  })

test('has a density for every event it was made of, none outside, and no opinion on what is missing', () => {
  const histogram = fitHistogram(block, undefined, 5)
  expect(histogramLogDensity(histogram, block).every(l => l > -50)).toBe(true)
  const outside = { rows: 2, columns: 2, values: Float64Array.of(99, 0, Number.NaN, 0) }
  expect([...histogramLogDensity(histogram, outside)]).toEqual([LOWEST_LOG_DENSITY, Number.NaN])
  expect(histogram.total).toBe(2000)
})

test('a constant column and weights are taken as they are; too many cells are refused', () => {
  const constant = { rows: 3, columns: 1, values: Float64Array.of(4, 4, 4) }
  expect(fitHistogram(constant, Float64Array.of(1, 2, 0), 3).total).toBe(3)
  const wide = { rows: 1, columns: 60, values: new Float64Array(60) }
  expect(() => fitHistogram(wide, undefined, 10)).toThrow('bins: expected a whole number')
})
