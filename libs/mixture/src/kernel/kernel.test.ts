import { describe, expect, test } from 'vitest'
import {
  COVARIANCES,
  expectKernelsToAgree,
  expectSameBitsAlone,
  expectSameEstimates,
  fitted,
  steps,
} from '../../test/kernel-agreement.ts'
import { compiledKernel } from '../../test/on-kernel.ts'
import { type Mixture, mixture } from '../em/mixture.ts'
import type { Block } from '../families/block.ts'
import { empty, type Parameters, type Statistics, scale } from '../families/family.ts'
import { gaussian } from '../families/gaussian/gaussian.ts'
import type { Covariance } from '../families/gaussian/layout.ts'
import type { Prior } from '../families/prior.ts'
import { relativeError } from '../laws/family-laws.ts'
import { DEFAULT_PRIOR } from '../model/specification.ts'
import { type Random, random, standardNormal } from '../numerics/random.ts'

const make = (covariance: Covariance, components: number, columns: number): Mixture =>
  mixture(gaussian({ components, columns, covariance }))

/** K clusters `apart` standard deviations from one another, about `offset`. */
function sample(uniform: Random, rows: number, columns: number, components: number, apart = 3, offset = 0): Block {
  const centres = Float64Array.from({ length: components * columns }, () => standardNormal(uniform) * apart)
  const values = new Float64Array(rows * columns)
  for (let n = 0; n < rows; n++) {
    const k = Math.floor(uniform() * components)
    for (let j = 0; j < columns; j++)
      values[n * columns + j] = offset + centres[k * columns + j]! + standardNormal(uniform) * (1 + (j % 3))
  }
  return { rows, columns, values }
}

/** The E-step and scoring, the moments apart, and the family's own densities. */
function everything(model: Mixture, parameters: Parameters, block: Block, weights: Float64Array | undefined) {
  const { components } = model.inner
  const { statistics, total, posterior, logDensity } = steps(model, parameters, block, weights)
  const logs = new Float64Array(block.rows * components)
  model.inner.logDensity(parameters, block, logs)
  const s0 = statistics.slice(0, components)
  const s1 = statistics.slice(components, components * (1 + model.columns))
  const s2 = statistics.slice(components * (1 + model.columns))
  return { total, s0, s1, s2, posterior, logDensity, logs }
}

function expectAgreement(
  model: Mixture,
  parameters: Parameters,
  block: Block,
  weights: Float64Array | undefined,
  tolerance?: number,
): void {
  expectKernelsToAgree(model, own => everything(own, parameters, block, weights), tolerance)
}

describe.each(COVARIANCES)('compiled kernel, %s covariance', covariance => {
  test.each([1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 32])('agrees with the reference, d = %i', columns => {
    const uniform = random(columns)
    for (const components of [1, 2, 3, 5, 8])
      for (const rows of [1, 3, 4, 63, 64, 65, 129, 250]) {
        const model = make(covariance, components, columns)
        const block = sample(uniform, rows, columns, components)
        const parameters = fitted(model, sample(uniform, 40 + 2 * columns, columns, components), uniform)
        const weights = Float64Array.from({ length: rows }, () => uniform() * 3)
        expectAgreement(model, parameters, block, undefined)
        expectAgreement(model, parameters, block, weights)
      }
  })

  test('agrees at 1e6 standard deviations from 0, and where the components are far apart', () => {
    const uniform = random(2)
    for (const [apart, offset] of [
      [3, 1e6],
      [300, 0],
      [1e5, -1e7],
    ] as const) {
      const model = make(covariance, 3, 6)
      const block = sample(uniform, 200, 6, 3, apart, offset)
      const parameters = fitted(model, block, uniform)
      expectAgreement(model, parameters, block, undefined, 1e-10)
    }
  })

  test('takes events with missing, huge and zero-weight values', () => {
    const uniform = random(3)
    const model = make(covariance, 3, 5)
    const parameters = fitted(model, sample(uniform, 100, 5, 3), uniform)
    const block = sample(uniform, 300, 5, 3)
    for (let i = 0; i < block.values.length; i++) if (uniform() < 0.05) block.values[i] = Number.NaN
    const weights = Float64Array.from({ length: 300 }, () => (uniform() < 0.3 ? 0 : 1))
    expectAgreement(model, parameters, block, undefined)
    expectAgreement(model, parameters, block, weights)
    block.values.fill(Number.NaN)
    expectAgreement(model, parameters, block, undefined)
    const far = sample(uniform, 70, 5, 3)
    far.values[17] = 1e150
    far.values[200] = -1e150
    expectAgreement(model, parameters, far, undefined)
    // Deviations beyond ±1e150 are cut off there, in a pattern that the kernel takes and in one that it leaves.
    for (let n = 0; n < 20; n++) far.values[5 * n + 3] = Number.NaN
    far.values[20 * 5 + 2] = Number.NaN
    const away = { ...parameters, reference: new Float64Array(5).fill(-7e149) }
    const observed = ({ inner }: Mixture) => {
      const statistics = empty(inner)
      inner.observe(statistics, far, new Float64Array(70 * 3).fill(1 / 3), away)
      return statistics
    }
    expect(relativeError(observed(compiledKernel.accelerate(model)), observed(model))).toBeLessThanOrEqual(1e-12)
  })

  test('an empty component has weight 0 in every posterior', () => {
    const uniform = random(4)
    const model = make(covariance, 3, 4)
    const block = sample(uniform, 100, 4, 3)
    const parameters = { ...fitted(model, block, uniform), weights: Float64Array.of(0.5, 0, 0.5) }
    expectAgreement(model, parameters, block, undefined)
    const posterior = new Float64Array(300)
    compiledKernel.accelerate(model).score(parameters, block, posterior, new Float64Array(100))
    for (let n = 0; n < 100; n++) expect(posterior[3 * n + 1]).toBe(0)
  })

  test('a posterior has the same bits alone and in any batch; repeated runs too', () => {
    const uniform = random(5)
    const model = make(covariance, 5, 7)
    const block = sample(uniform, 131, 7, 5)
    const parameters = fitted(model, block, uniform)
    const compiled = compiledKernel.accelerate(model)
    expectSameBitsAlone(compiled, parameters, block)
    const repeated = () => everything(compiled, parameters, block, undefined)
    expect(repeated()).toEqual(repeated())
  })
})

test('a block larger than one chunk of the kernel', () => {
  const uniform = random(6)
  const model = make('full', 2, 64)
  const block = sample(uniform, 4500, 64, 2)
  block.values[64 * 3000] = Number.NaN
  expectAgreement(model, fitted(model, sample(uniform, 300, 64, 2), uniform), block, undefined)
})

test('negligible components: many well-separated components agree too', () => {
  const uniform = random(7)
  const model = make('full', 12, 9)
  const block = sample(uniform, 600, 9, 12, 20)
  let parameters = model.initial(block)
  const responsibilities = new Float64Array(600 * 12)
  for (let n = 0; n < 600; n++) responsibilities[n * 12 + (n % 12)] = 1
  const statistics = empty(model)
  model.inner.observe(statistics, block, responsibilities, parameters)
  parameters = { ...model.maximise(statistics, DEFAULT_PRIOR, parameters), weights: new Float64Array(12).fill(1 / 12) }
  for (let i = 0; i < 10; i++) {
    expectAgreement(model, parameters, block, undefined, 1e-11)
    const sums = empty(model)
    model.expectation(parameters, block, undefined, sums)
    parameters = model.maximise(sums, DEFAULT_PRIOR, parameters)
  }
})

describe.each(COVARIANCES)('the M-step on either implementation, %s covariance', covariance => {
  const K = 3
  const priors: readonly Prior[] = [
    DEFAULT_PRIOR,
    { ...DEFAULT_PRIOR, varianceFloor: 0 },
    { weightPseudoEvents: 1, meanPseudoEvents: 2, covariancePseudoEvents: 0, varianceFloor: 1e-3 },
    { weightPseudoEvents: 1, meanPseudoEvents: 2, covariancePseudoEvents: 3, varianceFloor: 1e-3 },
    { weightPseudoEvents: 0, meanPseudoEvents: 0.1, covariancePseudoEvents: 8, varianceFloor: 0 },
  ]

  function expectSameModel(model: Mixture, statistics: Statistics, previous: Parameters): void {
    for (const prior of priors) expectSameEstimates(model, statistics, prior, previous)
  }

  /** Statistics of a sample, and parameters from before; responsibilities of `empty` are 0. */
  function observed(rows: number, columns: number, uniform: Random, { offset = 0, empty: none = -1 } = {}) {
    const model = make(covariance, K, columns)
    const block = sample(uniform, rows, columns, K, 3, offset)
    const initial = model.initial(block)
    const responsibilities = Float64Array.from({ length: rows * K }, (_, i) => (i % K === none ? 0 : uniform()))
    const statistics = empty(model)
    model.inner.observe(statistics, block, responsibilities, initial)
    return { model, initial, statistics }
  }

  test.each([1, 2, 3, 4, 7, 10, 16, 33])('agrees, d = %i', columns => {
    const uniform = random(columns)
    const { model, initial, statistics } = observed(4 * columns + 200, columns, uniform)
    expectSameModel(model, statistics, initial)
    for (const factor of [1e-6, 1e6]) expectSameModel(model, scale(statistics.slice(), factor), initial)
  })

  test('agrees where components are starved, empty or not finite, and where nothing is left', () => {
    const uniform = random(20)
    for (const none of [0, 1, 2]) {
      const { model, initial, statistics } = observed(150, 5, uniform, { empty: none })
      const fitted = model.maximise(statistics, DEFAULT_PRIOR, initial)
      expectSameModel(model, statistics, fitted)
      // A tied S2 has no component to leave out.
      if (covariance === 'tied') continue
      for (const value of [Number.NaN, Infinity]) {
        const broken = statistics.slice()
        const secondLength = (model.statisticsLength - K * 6) / K
        broken[K * 6 + ((none + 1) % K) * secondLength] = value
        for (const own of [model, compiledKernel.accelerate(model)])
          for (const array of Object.values(own.maximise(broken, DEFAULT_PRIOR, fitted)))
            expect(array.every(Number.isFinite)).toBe(true)
        expectSameModel(model, broken, fitted)
      }
      for (const own of [model, compiledKernel.accelerate(model)])
        expect(own.maximise(empty(model), DEFAULT_PRIOR, fitted)).toEqual(fitted)
    }
  })

  test('agrees where the floor binds: fewer events than columns, a constant feature, far from 0', () => {
    const uniform = random(21)
    for (const rows of [1, 2, 3, 12]) {
      const { model, initial, statistics } = observed(rows, 10, uniform)
      expectSameModel(model, statistics, initial)
    }
    const model = make(covariance, K, 4)
    const block = sample(uniform, 60, 4, K)
    for (let n = 0; n < 60; n++) block.values[4 * n + 2] = 7
    const initial = model.initial(block)
    const statistics = empty(model)
    model.inner.observe(statistics, block, Float64Array.from({ length: 180 }, uniform), initial)
    expectSameModel(model, statistics, initial)
    // Components so far apart that their own variances are below the floor, one of them with next to no weight.
    for (const apart of [300, 3000]) {
      const block = sample(uniform, 120, 4, K)
      for (let n = 0; n < 120; n++) for (let j = 0; j < 4; j++) block.values[4 * n + j]! += apart * (n % K)
      const initial = model.initial(block)
      const responsibilities = new Float64Array(360)
      for (let n = 0; n < 120; n++) responsibilities[n * K + (n % K)] = n % K === 1 ? 1e-13 : 1
      const statistics = empty(model)
      model.inner.observe(statistics, block, responsibilities, initial)
      expectSameModel(model, statistics, initial)
    }
  })
})
