import { describe, expect, test } from 'vitest'
import { COVARIANCES, expectKernelsToAgree, expectSameBitsAlone, fitted, steps } from '../../test/kernel-agreement.ts'
import { compiledKernel } from '../../test/on-kernel.ts'
import type { Mixture } from '../em/mixture.ts'
import type { Block } from '../families/block.ts'
import { type Parameters as Arrays, empty } from '../families/family.ts'
import type { Covariance } from '../families/gaussian/layout.ts'
import { createMixture } from '../model/create-mixture.ts'
import type { FeatureType } from '../model/feature-types.ts'
import { createSpecification, DEFAULT_PRIOR } from '../model/specification.ts'
import { type Random, random, standardNormal } from '../numerics/random.ts'
import { createKernel } from './kernel.ts'

const CATEGORIES = 5
type LearnedType = Exclude<FeatureType, 'exposure'>

const TYPES: readonly LearnedType[] = [
  'number',
  'count',
  'category',
  'boolean',
  'number',
  'category',
  'number',
  'count',
  'duration',
  'negative-binomial',
  'zero-inflated',
]

const make = (covariance: Covariance, components: number, types: readonly LearnedType[]): Mixture =>
  createMixture(
    createSpecification({
      features: types.map((type, j) => ({ name: `x${j}`, type, categories: CATEGORIES })),
      components,
      covariance,
      standardise: false,
    }),
    createKernel('typescript'),
  )

/** Clusters of mixed events; `other` is the share of values besides the numbers that are missing, none of their type, or large. */
function sample(uniform: Random, rows: number, components: number, types: readonly LearnedType[], other = 0): Block {
  const columns = types.length
  const values = new Float64Array(rows * columns)
  for (let n = 0; n < rows; n++) {
    const k = Math.floor(uniform() * components)
    for (let j = 0; j < columns; j++) {
      const value = {
        number: () => standardNormal(uniform) + 4 * Math.sin(7 * k + 3 * j),
        count: () => Math.floor(-Math.log(1 - uniform()) * (1 + 9 * k)),
        boolean: () => Number(uniform() < (k + 1) / 10),
        'negative-binomial': () => Math.floor(-Math.log(1 - uniform()) * (1 + 9 * k)),
        'zero-inflated': () => (uniform() < 0.4 ? 0 : Math.floor(uniform() * (2 + 9 * k))),
        duration: () => -Math.log(1 - uniform()) * (1 + 9 * k),
        category: () => Math.floor(CATEGORIES * uniform() ** (1 + k / 4)),
      }[types[j]!]()
      const odd = [Number.NaN, -1, 2.5, 1e9, 1e150][Math.floor(uniform() * 5)]!
      values[n * columns + j] = types[j] !== 'number' && uniform() < other ? odd : value
    }
  }
  return { rows, columns, values }
}

const expectAgreement = (reference: Mixture, ...events: [Arrays, Block, Float64Array?]): void =>
  expectKernelsToAgree(reference, model => steps(model, ...events))

describe.each(COVARIANCES)('columns of levels in the compiled kernel, %s covariance', covariance => {
  test.each([1, 2, 3, 5, 8])('agrees with the reference, K = %i', components => {
    const uniform = random(components)
    const model = make(covariance, components, TYPES)
    const parameters = fitted(model, sample(uniform, 300, components, TYPES), uniform)
    for (const rows of [1, 2, 3, 63, 64, 65, 129])
      for (const other of [0, 0.2]) {
        const block = sample(uniform, rows, components, TYPES, other)
        expectAgreement(model, parameters, block)
        expectAgreement(
          model,
          parameters,
          block,
          Float64Array.from({ length: rows }, () => Math.floor(uniform() * 3)),
        )
      }
  })

  test('a posterior has the same bits alone and in any batch', () => {
    const uniform = random(5)
    const model = make(covariance, 3, TYPES)
    const block = sample(uniform, 131, 3, TYPES, 0.1)
    const parameters = fitted(model, block, uniform)
    const compiled = compiledKernel.accelerate(model)
    expectSameBitsAlone(compiled, parameters, block)
    expect(steps(compiled, parameters, block)).toEqual(steps(compiled, parameters, block))
  })

  test('numbers may be missing or huge besides', () => {
    const uniform = random(6)
    const model = make(covariance, 3, TYPES)
    const parameters = fitted(model, sample(uniform, 200, 3, TYPES), uniform)
    const block = sample(uniform, 200, 3, TYPES, 0.1)
    for (let i = 0; i < block.values.length; i++) if (uniform() < 0.1) block.values[i] = Number.NaN
    expectAgreement(model, parameters, block)
    const far = sample(uniform, 70, 3, TYPES)
    far.values[TYPES.length * 17] = 1e150
    expectAgreement(model, parameters, far)
  })
})

test('a block larger than one chunk of the kernel, with more levels than values below 64', () => {
  const uniform = random(7)
  const model = make('diag', 3, TYPES)
  const parameters = fitted(model, sample(uniform, 300, 3, TYPES), uniform)
  expectAgreement(model, parameters, sample(uniform, 2500, 3, TYPES, 0.3))
})

test('negligible components: what levels add decides which these are', () => {
  const types: readonly LearnedType[] = [...Array.from({ length: 9 }, () => 'number' as const), 'category', 'count']
  const uniform = random(8)
  const model = make('full', 12, types)
  const block = sample(uniform, 900, 12, types)
  for (let n = 0; n < block.rows; n++) {
    // Numbers that two components share, and a category that tells them apart.
    const k = n % 12
    for (let j = 0; j < 9; j++) block.values[n * 11 + j] = standardNormal(uniform) + 20 * Math.sin(7 * (k >> 1) + 3 * j)
    block.values[n * 11 + 9] = k % 2
  }
  const initial = model.initial(block)
  const statistics = empty(model)
  const responsibilities = new Float64Array(900 * 12)
  for (let n = 0; n < 900; n++) responsibilities[n * 12 + (n % 12)] = 1
  model.inner.observe(statistics, block, responsibilities, initial)
  let parameters = model.maximise(statistics, DEFAULT_PRIOR, initial)
  for (let i = 0; i < 4; i++) {
    expectAgreement(model, parameters, block)
    const sums = empty(model)
    model.expectation(parameters, block, undefined, sums)
    parameters = model.maximise(sums, DEFAULT_PRIOR, parameters)
  }
})

test('kernels of different shapes and the M-step take turns', () => {
  const uniform = random(9)
  const models = [make('diag', 3, TYPES), make('diag', 3, TYPES.slice(0, 3)), make('diag', 3, ['number', 'number'])]
  const cases = models.map((model, i) => {
    const types = [TYPES, TYPES.slice(0, 3), ['number', 'number'] as const][i]!
    const block = sample(uniform, 150, 3, types)
    return { model, block, parameters: fitted(model, block, uniform) }
  })
  for (let round = 0; round < 2; round++)
    for (const { model, block, parameters } of cases) expectAgreement(model, parameters, block)
})
