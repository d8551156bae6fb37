import { describe, expect, test } from 'vitest'
import { COVARIANCES, expectKernelsToAgree, expectSameBitsAlone, fitted, steps } from '../../test/kernel-agreement.ts'
import { compiledKernel } from '../../test/on-kernel.ts'
import { type Mixture, mixture } from '../em/mixture.ts'
import type { Block } from '../families/block.ts'
import { empty, type Parameters } from '../families/family.ts'
import { gaussian } from '../families/gaussian/gaussian.ts'
import type { Covariance } from '../families/gaussian/layout.ts'
import { relativeError } from '../laws/family-laws.ts'
import { DEFAULT_PRIOR } from '../model/specification.ts'
import { type Random, random, standardNormal } from '../numerics/random.ts'

const make = (covariance: Covariance, components: number, columns: number): Mixture =>
  mixture(gaussian({ components, columns, covariance }))

/** Correlated clusters; each value is missing with this probability. */
function sample(uniform: Random, rows: number, columns: number, components: number, missing: number): Block {
  const values = new Float64Array(rows * columns)
  for (let n = 0; n < rows; n++) {
    const k = Math.floor(uniform() * components)
    const common = standardNormal(uniform)
    for (let j = 0; j < columns; j++)
      values[n * columns + j] = 3 * Math.sin(7 * k + 3 * j) + common * ((j % 3) - 1) + standardNormal(uniform)
  }
  for (let i = 0; i < values.length; i++) if (uniform() < missing) values[i] = Number.NaN
  return { rows, columns, values }
}

/** The E-step and scoring, and the family's own densities and statistics. */
function everything(model: Mixture, parameters: Parameters, block: Block, weights?: Float64Array) {
  const { statistics, total, posterior, logDensity } = steps(model, parameters, block, weights)
  const logs = new Float64Array(block.rows * model.inner.components)
  model.inner.logDensity(parameters, block, logs)
  const observed = empty(model)
  model.inner.observe(observed, block, posterior, parameters)
  return { statistics, total, posterior, logDensity, logs, observed }
}

const expectAgreement = (reference: Mixture, ...events: [Parameters, Block, Float64Array?]): void =>
  expectKernelsToAgree(reference, model => everything(model, ...events))

describe.each(COVARIANCES)('missing values in the compiled kernel, %s covariance', covariance => {
  test.each([1, 2, 3, 5, 8, 16, 17])('agrees with the reference, d = %i', columns => {
    const uniform = random(columns)
    for (const components of [1, 3, 8])
      for (const missing of [0.02, 0.3, 0.9]) {
        const model = make(covariance, components, columns)
        const parameters = fitted(model, sample(uniform, 200, columns, components, 0), uniform)
        for (const rows of [1, 5, 64, 130]) {
          const block = sample(uniform, rows, columns, components, missing)
          expectAgreement(model, parameters, block)
          expectAgreement(
            model,
            parameters,
            block,
            Float64Array.from({ length: rows }, () => Math.floor(uniform() * 3)),
          )
        }
      }
  })

  test('agrees with more patterns than are remembered, and where few have room', () => {
    const uniform = random(9)
    for (const [columns, components, rows, missing] of [
      [12, 2, 900, 0.4],
      [70, 12, 90, 0.6],
    ] as const) {
      const model = make(covariance, components, columns)
      const parameters = fitted(model, sample(uniform, 400, columns, components, 0), uniform)
      expectAgreement(model, parameters, sample(uniform, rows, columns, components, missing))
    }
  })

  test('nothing known of an event: the density is 1, the posterior the weights', () => {
    const model = make(covariance, 3, 4)
    const uniform = random(10)
    const parameters = fitted(model, sample(uniform, 100, 4, 3, 0), uniform)
    const block = sample(uniform, 5, 4, 3, 0)
    block.values.fill(Number.NaN, 4, 8)
    const { posterior, logs } = everything(compiledKernel.accelerate(model), parameters, block)
    expect([...logs.slice(3, 6)]).toEqual([0, 0, 0])
    expect(relativeError(posterior.slice(3, 6), parameters.weights!)).toBeLessThan(1e-15)
  })

  test('bits depend neither on what the kernel did before, nor those of a posterior on the batch', () => {
    const uniform = random(11)
    const model = compiledKernel.accelerate(make(covariance, 3, 7))
    const parameters = fitted(model, sample(uniform, 100, 7, 3, 0), uniform)
    const block = sample(uniform, 131, 7, 3, 0.3)
    const together = everything(model, parameters, block)
    everything(model, parameters, sample(uniform, 900, 7, 3, 0.5))
    expect(everything(model, parameters, block)).toEqual(together)
    everything(model, parameters, sample(uniform, 100, 7, 3, 0))
    expect(everything(model, parameters, block)).toEqual(together)
    expectSameBitsAlone(model, parameters, block)
  })

  test('an event too large for f64 leaves nothing behind', () => {
    const uniform = random(12)
    const model = compiledKernel.accelerate(make(covariance, 3, 5))
    const parameters = fitted(model, sample(uniform, 100, 5, 3, 0), uniform)
    const block = sample(uniform, 300, 5, 3, 0.2)
    const before = everything(model, parameters, block)
    const far = { ...block, values: block.values.slice() }
    far.values.fill(1e155, 5 * 290, 5 * 291)
    everything(model, parameters, far)
    expect(everything(model, parameters, block)).toEqual(before)
  })
})

test('strongly correlated columns: the conditional means lose no more digits than the condition of Σ explains', () => {
  for (const noise of [1e-2, 1e-3]) {
    const uniform = random(13)
    const model = make('full', 2, 4)
    const block = sample(uniform, 300, 4, 2, 0)
    for (let n = 0; n < 300; n++) block.values[4 * n + 1] = block.values[4 * n]! + noise * standardNormal(uniform)
    const parameters = fitted(model, block, uniform)
    for (let i = 0; i < block.values.length; i++) if (uniform() < 0.3) block.values[i] = Number.NaN
    const actual = everything(compiledKernel.accelerate(model), parameters, block)
    const expected = everything(model, parameters, block)
    for (const name of ['statistics', 'posterior', 'logDensity'] as const)
      expect(relativeError(actual[name], expected[name]), name).toBeLessThanOrEqual(1e-15 / noise ** 2)
  }
})

test('columns that are nearly the same are left to the reference', () => {
  for (const noise of [1e-5, 1e-7]) {
    const uniform = random(14)
    const model = make('full', 2, 4)
    const block = sample(uniform, 300, 4, 2, 0)
    for (let n = 0; n < 300; n++) block.values[4 * n + 1] = block.values[4 * n]! + noise * standardNormal(uniform)
    const parameters = fitted(model, block, uniform, { ...DEFAULT_PRIOR, varianceFloor: 1e-15 })
    for (let i = 0; i < block.values.length; i++) if (uniform() < 0.3) block.values[i] = Number.NaN
    expectAgreement(model, parameters, block)
  }
})
