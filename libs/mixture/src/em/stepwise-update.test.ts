import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sampleElki } from '../../test/elki.ts'
import { rowsOf } from '../families/block.ts'
import { empty, type Statistics, scale } from '../families/family.ts'
import { relativeError } from '../laws/family-laws.ts'
import { createMixture } from '../model/create-mixture.ts'
import { createSpecification } from '../model/specification.ts'
import { type StepwiseState, stepwiseUpdate } from './stepwise-update.ts'

const specification = createSpecification({ features: ['x', 'y'], components: 2, standardise: false })
const mixture = createMixture(specification)
const { block } = sampleElki(400, 3)
const parameters = mixture.maximise(scale(statisticsOf(0, 400), 1 / 400), specification.prior, mixture.initial(block))
const initial: StepwiseState = { parameters, statistics: empty(mixture), step: 0, weight: 0, effectiveSampleSize: 1 }
const settings = (exponent: number, offset: number) => ({ prior: specification.prior, stepSize: { exponent, offset } })

function statisticsOf(from: number, to: number): Statistics {
  const statistics = empty(mixture)
  const part = rowsOf(block, from, to)
  const responsibilities = Float64Array.from({ length: 2 * part.rows }, (_, i) => ((i >> 1) % 2 === i % 2 ? 0.9 : 0.1))
  mixture.inner.observe(statistics, part, responsibilities, mixture.initial(block))
  return statistics
}

describe('stepwise update', () => {
  test('α = 1 on fixed responsibilities is the weighted mean of all batches', () => {
    let state = initial
    for (let b = 0; b < 4; b++)
      state = stepwiseUpdate(mixture, settings(1, 0), state, statisticsOf(b * 100, b * 100 + 100), 100)
    const mean = scale(statisticsOf(0, 400), 1 / 400)
    expect(relativeError(state.statistics, mean)).toBeLessThanOrEqual(1e-12)
    expect(state.step).toBe(4)
    expect(state.effectiveSampleSize).toBeCloseTo(400, 9)
  })

  test('any cutting of a stream into batches, weights included, gives the weighted mean and its effective sample size', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(gaps, fc.double({ min: 0.01, max: 100, noNaN: true }), (sizes, unit) => {
        let state = initial
        const mean = empty(mixture)
        let at = 0
        let squares = 0
        for (const [i, size] of sizes.entries()) {
          const to = Math.min(400, at + size)
          if (to === at) break
          const w = unit * (1 + (i % 3))
          const sum = scale(statisticsOf(at, to), w)
          for (let j = 0; j < sum.length; j++) mean[j]! += sum[j]!
          squares += w * w * (to - at)
          state = stepwiseUpdate(mixture, settings(1, 0), state, sum, w * (to - at), w * w * (to - at))
          at = to
        }
        expect(relativeError(state.statistics, scale(mean, 1 / state.weight))).toBeLessThanOrEqual(1e-12)
        expect(state.effectiveSampleSize / (state.weight ** 2 / squares)).toBeCloseTo(1, 9)
      }),
      { numRuns: 100 },
    )
  })

  test('is pure: equal arguments give equal bytes, and none is written to', () => {
    const batch = statisticsOf(0, 50)
    const copy = batch.slice()
    const first = stepwiseUpdate(mixture, settings(0.7, 2), initial, batch, 50)
    const second = stepwiseUpdate(mixture, settings(0.7, 2), initial, batch, 50)
    expect(second).toEqual(first)
    expect(batch).toEqual(copy)
    expect(initial.statistics.every(s => s === 0)).toBe(true)
  })

  test('a batch that is empty or not finite changes nothing', () => {
    const state = stepwiseUpdate(mixture, settings(0.7, 2), initial, statisticsOf(0, 50), 50)
    expect(stepwiseUpdate(mixture, settings(0.7, 2), state, empty(mixture), 0)).toBe(state)
    expect(stepwiseUpdate(mixture, settings(0.7, 2), state, empty(mixture).fill(Number.NaN), 50)).toBe(state)
  })

  test('a half-life is one: after h events the old statistics count half', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 40 }), (batch, batches) => {
        const stepSize = { exponent: 1, offset: 1e12, halfLife: batch * batches }
        let state: StepwiseState = { ...initial, statistics: scale(statisticsOf(0, 400), 1 / 400), weight: 400 }
        const s0 = state.statistics[0]! + state.statistics[1]!
        for (let b = 0; b < batches; b++)
          state = stepwiseUpdate(mixture, { prior: specification.prior, stepSize }, state, empty(mixture), batch)
        expect((state.statistics[0]! + state.statistics[1]!) / s0).toBeCloseTo(0.5, 9)
      }),
      { numRuns: 50 },
    )
  })
})
