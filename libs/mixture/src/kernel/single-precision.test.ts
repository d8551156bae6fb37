import { describe, expect, test } from 'vitest'
import { expectSameBitsAlone, fitted, steps } from '../../test/kernel-agreement.ts'
import { type Mixture, mixture } from '../em/mixture.ts'
import type { Block } from '../families/block.ts'
import type { Parameters } from '../families/family.ts'
import { gaussian } from '../families/gaussian/gaussian.ts'
import { createMixture } from '../model/create-mixture.ts'
import { createSpecification } from '../model/specification.ts'
import { type Random, random, standardNormal } from '../numerics/random.ts'
import { KERNEL_CHOICES, type KernelChoice } from './engine.ts'
import { createKernel, type Kernel } from './kernel.ts'
import { leastSingleDensity } from './single-precision.ts'

const KERNELS = Object.fromEntries(KERNEL_CHOICES.map(choice => [choice, createKernel(choice)])) as Record<
  KernelChoice,
  Kernel
>

/** Largest error of a posterior probability, and of a log density in nats, that f32 may bring. */
const TOLERANCE = { posterior: 1e-4, logDensity: 2e-4 }

interface Sample {
  /** standard deviation of the means */
  readonly apart?: number
  readonly offset?: number
  /** size of a factor that all columns share, beside noise of 1 */
  readonly common?: number
  /** size of what is added to a value of every seventh event */
  readonly outliers?: number
}

function sample(uniform: Random, rows: number, columns: number, components: number, options: Sample = {}): Block {
  const { apart = 1, offset = 0, common = 0, outliers = 0 } = options
  const centres = Float64Array.from({ length: components * columns }, () => standardNormal(uniform) * apart)
  const values = new Float64Array(rows * columns)
  for (let n = 0; n < rows; n++) {
    const factor = common * standardNormal(uniform)
    const k = n % components
    for (let j = 0; j < columns; j++) {
      const outlier = n % 7 === 6 && j === n % columns ? outliers : 0
      values[n * columns + j] = offset + centres[k * columns + j]! + factor + standardNormal(uniform) + outlier
    }
  }
  return { rows, columns, values }
}

const make = (components: number, columns: number, covariance: 'full' | 'factor' = 'full'): Mixture =>
  mixture(gaussian({ components, columns, covariance }))

function scoresOf(choice: KernelChoice, model: Mixture, parameters: Parameters, block: Block) {
  return steps(KERNELS[choice].accelerate(model), parameters, block)
}

function expectClose(model: Mixture, parameters: Parameters, block: Block): void {
  const { components } = model.inner
  const expected = scoresOf('typescript', model, parameters, block)
  const actual = scoresOf('webassembly-f32', model, parameters, block)
  const largest = (name: 'posterior' | 'logDensity') =>
    Math.max(...expected[name].map((value, i) => Math.abs(value - actual[name][i]!)))
  expect(largest('posterior')).toBeLessThanOrEqual(TOLERANCE.posterior)
  // Where f64 is used, the implementations differ by a share of the density.
  expect(largest('logDensity')).toBeLessThanOrEqual(
    TOLERANCE.logDensity + 1e-12 * Math.max(...expected.logDensity.map(Math.abs)),
  )
  for (let n = 0; n < block.rows; n++) {
    const sum = actual.posterior.subarray(n * components, (n + 1) * components).reduce((a, b) => a + b, 0)
    expect(Math.abs(sum - 1)).toBeLessThanOrEqual(1e-12)
  }
}

const least = (parameters: Parameters, components: number, columns: number): number =>
  leastSingleDensity({ covariance: 'full', components, columns, levelColumns: 0, levels: 0 }, parameters)

/** Rows whose log density has not the bits of the f64 kernel. */
function rounded(model: Mixture, parameters: Parameters, block: Block): number[] {
  const expected = scoresOf('webassembly', model, parameters, block).logDensity
  const actual = scoresOf('webassembly-f32', model, parameters, block).logDensity
  return [...actual.keys()].filter(n => actual[n] !== expected[n])
}

describe.each(['full', 'factor'] as const)('scoring in f32, %s covariance', covariance => {
  test.each([1, 2, 3, 4, 5, 8, 17, 32])('is within its tolerance of the reference, d = %i', columns => {
    const uniform = random(columns)
    for (const components of [1, 2, 3, 5, 8])
      for (const [apart, offset, outliers] of [
        [0.1, 0, 0],
        [1, 1e6, 20],
        [20, 0, 1e3],
      ] as const)
        for (const rows of [1, 7, 8, 9, 64, 131]) {
          const model = make(components, columns, covariance)
          const options = { apart, offset, outliers }
          const parameters = fitted(model, sample(uniform, 40 + 4 * columns, columns, components, options), uniform)
          expectClose(model, parameters, sample(uniform, rows, columns, components, options))
        }
  })

  test('is within its tolerance whatever the condition of the covariances', () => {
    const uniform = random(40)
    for (let common = 1; common < 1e6; common *= 4)
      for (const columns of [2, 6, 19]) {
        const model = make(3, columns, covariance)
        const parameters = fitted(model, sample(uniform, 300, columns, 3, { common }), uniform)
        expectClose(model, parameters, sample(uniform, 131, columns, 3, { common, outliers: 30 }))
      }
  })
})

describe('what is scored in f32', () => {
  const uniform = random(50)
  const model = make(4, 9)
  const block = sample(uniform, 400, 9, 4)
  const parameters = fitted(model, block, uniform)

  test('all events of a mixture that is safe, and only where it was chosen', () => {
    expect(least(parameters, 4, 9)).toBeLessThan(-100)
    expect(rounded(model, parameters, block).length).toBeGreaterThan(395)
    expect(scoresOf('auto', model, parameters, block)).toEqual(scoresOf('webassembly', model, parameters, block))
  })

  test('never the E-step', () => {
    const { statistics, total } = scoresOf('webassembly-f32', model, parameters, block)
    const expected = scoresOf('webassembly', model, parameters, block)
    expect(statistics).toEqual(expected.statistics)
    expect(total).toEqual(expected.total)
  })

  test('no event that is far from every component, nor one with missing values', () => {
    const values = block.values.slice()
    for (let n = 0; n < 400; n += 10) values[n * 9 + (n % 9)] = n % 20 === 0 ? 1e4 : Number.NaN
    const rows = rounded(model, parameters, { ...block, values })
    expect(rows.length).toBeGreaterThan(350)
    expect(rows.filter(n => n % 10 === 0)).toEqual([])
  })

  test('no event where a column hardly varies beside the others, or by hardly more or less than f32 can hold', () => {
    const correlated = fitted(model, sample(uniform, 400, 9, 4, { common: 1e4 }), uniform)
    expect(least(correlated, 4, 9)).toBe(Infinity)
    expect(rounded(model, correlated, block)).toEqual([])
    for (const scale of [1e-15, 1e15]) {
      const scaled = { ...block, values: block.values.map(value => value * scale) }
      const tiny = fitted(model, scaled, uniform)
      expect(least(tiny, 4, 9)).toBe(Infinity)
      expect(rounded(model, tiny, scaled)).toEqual([])
    }
  })

  test('no event where the means are far from the reference', () => {
    const away = { ...parameters, reference: parameters.reference!.map(value => value + 100) }
    expect(least(away, 4, 9)).toBe(Infinity)
    expect(rounded(model, away, block)).toEqual([])
  })

  test('the same bits alone and in any batch, outliers and missing values beside', () => {
    const single = KERNELS['webassembly-f32'].accelerate(model)
    expectSameBitsAlone(single, parameters, block)
    const values = block.values.slice()
    for (let n = 0; n < 400; n += 9) values[n * 9 + (n % 7)] = 300
    expectSameBitsAlone(single, parameters, { ...block, values })
    for (let n = 200; n < 400; n += 11) values[n * 9 + (n % 5)] = Number.NaN
    expectSameBitsAlone(single, parameters, { ...block, values })
  })

  test('values that f32 does not hold', () => {
    const values = block.values.slice()
    values[13] = 1e60
    values[400] = -1e100
    expectClose(model, parameters, { ...block, values })
  })
})

test('beside columns of levels', () => {
  const uniform = random(60)
  const types = ['category', 'number', 'number', 'number', 'number', 'number', 'number'] as const
  const features = types.map((type, j) => ({ name: `x${j}`, type, categories: 4 }))
  const model = createMixture(
    createSpecification({ features, components: 3, covariance: 'full', standardise: false }),
    KERNELS.typescript,
  )
  const numbers = sample(uniform, 200, 6, 3)
  const values = new Float64Array(200 * 7)
  for (let n = 0; n < 200; n++) {
    values[n * 7] = (n + (uniform() < 0.2 ? 1 : 0)) % 3
    values.set(numbers.values.subarray(n * 6, n * 6 + 6), n * 7 + 1)
  }
  const block = { rows: 200, columns: 7, values }
  const parameters = fitted(model, block, uniform)
  expectClose(model, parameters, block)
  expect(rounded(model, parameters, block).length).toBeGreaterThan(190)
})
