import type { FeatureColumn } from '@eddy/records'
import { expect, it } from 'vitest'
import { histogramDensity, scottBins } from './histogram-density.ts'

const matrix = (columns: FeatureColumn[], ...rows: number[][]) => ({
  columns,
  rows: rows.length,
  values: Float64Array.from(rows.flat()),
  weights: new Float64Array(rows.length).fill(1),
})

it('integrates to one over the bins and the outer ones', () => {
  const events = matrix([{ name: 'a', type: 'number' }], ...Array.from({ length: 100 }, (_, i) => [i % 10]))
  const density = histogramDensity(events, events, 9)
  // 9 bins of width 1 over [0, 9], and two outer bins of width 9
  const step = 1 / 8
  let mass = 0
  for (let x = -9 + step / 2; x < 18; x += step) mass += step * Math.exp(density.logDensity(Float64Array.of(x), 1)[0]!)
  expect(mass).toBeCloseTo(1, 10)
  // 20 of 100 events (8 and the largest, 9) in the last bin, half an event more in each of 11 bins
  expect(Math.exp(density.logDensity(Float64Array.of(8.5), 1)[0]!)).toBeCloseTo(20.5 / 105.5, 12)
})

it('multiplies features, knows categories, and leaves missing values out', () => {
  const columns: FeatureColumn[] = [
    { name: 'c', type: 'category', values: ['x', 'y'] },
    { name: 'b', type: 'boolean' },
  ]
  const events = matrix(columns, [0, 1], [0, 1], [1, 0], [0, Number.NaN])
  const density = histogramDensity(events, events, 4)
  const at = (...row: number[]) => Math.exp(density.logDensity(Float64Array.from(row), 1)[0]!)
  expect(at(0, 1)).toBeCloseTo((3.5 / 5) * (2.5 / 4), 12)
  expect(at(1, Number.NaN)).toBeCloseTo(1.5 / 5, 12)
  expect(at(Number.NaN, Number.NaN)).toBe(1)
})

it('is finite for constant and empty columns', () => {
  const events = matrix(
    [
      { name: 'a', type: 'number' },
      { name: 'b', type: 'number' },
    ],
    [5, Number.NaN],
    [5, Number.NaN],
  )
  const [log] = histogramDensity(events, events, 3).logDensity(Float64Array.of(5, 7), 1)
  expect(Number.isFinite(log)).toBe(true)
  expect(scottBins(1)).toBe(2)
})
