import { expect, it } from 'vitest'
import { knownAnswers } from '../../test/decide-fixture.ts'
import type { Block } from '../families/block.ts'
import { histogramDensity, scottBins } from './histogram.ts'

const block = (...rows: number[][]): Block => ({
  rows: rows.length,
  columns: rows[0]!.length,
  values: Float64Array.from(rows.flat()),
})
const ones = (count: number) => new Float64Array(count).fill(1)

it('has the densities that follow from the counts of numpy.histogram; no event is impossible', () => {
  const { values, everything, bins, at, logDensity } = knownAnswers.histogram
  const column = (numbers: number[]) => block(...numbers.map(x => [x]))
  const density = histogramDensity(column(values), ones(values.length), column(everything), bins, [undefined])
  const actual = density.logDensity(Float64Array.from(at), at.length)
  logDensity.forEach((expected, n) => {
    expect(actual[n]).toBeCloseTo(expected, 10)
  })
})

it('integrates to one over the bins and the outer ones', () => {
  const events = block(...Array.from({ length: 100 }, (_, i) => [i % 10]))
  const density = histogramDensity(events, ones(100), events, 9, [undefined])
  // 9 bins of width 1 over [0, 9], and two outer bins of width 9
  const step = 1 / 8
  let mass = 0
  for (let x = -9 + step / 2; x < 18; x += step) mass += step * Math.exp(density.logDensity(Float64Array.of(x), 1)[0]!)
  expect(mass).toBeCloseTo(1, 10)
  // 20 of 100 events (8 and the largest, 9) in the last bin, half an event more in each of 11 bins
  expect(Math.exp(density.logDensity(Float64Array.of(8.5), 1)[0]!)).toBeCloseTo(20.5 / 105.5, 12)
})

it('multiplies features, knows categories, and leaves missing values out', () => {
  const events = block([0, 1], [0, 1], [1, 0], [0, Number.NaN])
  const density = histogramDensity(events, ones(4), events, 4, [2, 2])
  const at = (...row: number[]) => Math.exp(density.logDensity(Float64Array.from(row), 1)[0]!)
  expect(at(0, 1)).toBeCloseTo((3.5 / 5) * (2.5 / 4), 12)
  expect(at(1, Number.NaN)).toBeCloseTo(1.5 / 5, 12)
  expect(at(Number.NaN, Number.NaN)).toBe(1)
})

it('is finite for constant and empty columns', () => {
  const events = block([5, Number.NaN], [5, Number.NaN])
  const density = histogramDensity(events, ones(2), events, 3, [undefined, undefined])
  expect(Number.isFinite(density.logDensity(Float64Array.of(5, 7), 1)[0])).toBe(true)
  expect(scottBins(1)).toBe(2)
})
