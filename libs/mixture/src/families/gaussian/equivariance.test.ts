import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { onKernel } from '../../../test/on-kernel.ts'
import { batchEm } from '../../em/estimators/batch-em.ts'
import { mixture } from '../../em/mixture.ts'
import { relativeError } from '../../laws/family-laws.ts'
import { DEFAULT_PRIOR } from '../../model/specification.ts'
import { packedIndex, unpackSymmetric } from '../../numerics/packed.ts'
import { random, standardNormal } from '../../numerics/random.ts'
import { symmetricEigen } from '../../numerics/symmetric-eigen.ts'
import type { Block } from '../block.ts'
import { empty, type Parameters } from '../family.ts'
import { gaussian } from './gaussian.ts'

function clusters(rows: number, d: number, seed: number): { block: Block; responsibilities: Float64Array } {
  const uniform = random(seed)
  const values = new Float64Array(rows * d)
  const responsibilities = new Float64Array(rows * 2)
  for (let n = 0; n < rows; n++) {
    for (let j = 0; j < d; j++) values[n * d + j] = standardNormal(uniform) + (n % 2) * 3
    responsibilities[n * 2 + (n % 2)] = 0.8
    responsibilities[n * 2 + 1 - (n % 2)] = 0.2
  }
  return { block: { rows, columns: d, values }, responsibilities }
}

describe('affine equivariance', () => {
  for (const covariance of ['full', 'tied', 'diag', 'factor'] as const)
    test(`${covariance}: shifted and scaled events give shifted and scaled parameters, mean 1e8 and sd 1e3 included`, () => {
      fc.assert(
        fc.property(
          fc.integer(),
          fc.constantFrom([0, 1], [5, 0.01], [1e8, 1e3], [-1e6, 10]),
          (seed, [shift, factor]) => {
            const { block, responsibilities } = clusters(60, 3, seed)
            const moved = { ...block, values: block.values.map(x => x * factor! + shift!) }
            // Rounding of the moved events themselves is not the method's: compare with what they can be moved back to.
            const back = { ...block, values: moved.values.map(x => (x - shift!) / factor!) }
            const model = mixture(onKernel(gaussian({ components: 2, columns: 3, covariance })))
            const fit = (data: Block): { parameters: Parameters; reference: Float64Array } => {
              const initial = model.initial(data)
              const statistics = empty(model)
              model.inner.observe(statistics, data, responsibilities, initial)
              const parameters = model.maximise(statistics, DEFAULT_PRIOR, initial)
              const options = { prior: DEFAULT_PRIOR, tolerance: 0, maxIterations: 3 }
              const result = batchEm(options).fit(model, data, undefined, { parameters })
              return { parameters: result.parameters, reference: initial.reference! }
            }
            const plain = fit(back).parameters
            const other = fit(moved).parameters
            const means = other.means!.map(m => (m - shift!) / factor!)
            const covariances = other.covariances!.map(c => c / factor! ** 2)
            // A mean of 1e8 has 1e-8 / 1e3 = 1e-11 of a standard deviation of rounding left.
            expect(relativeError(means, plain.means!)).toBeLessThan(1e-9)
            expect(relativeError(covariances, plain.covariances!)).toBeLessThan(1e-9)
            expect(relativeError(other.weights!, plain.weights!)).toBeLessThan(1e-9)
          },
        ),
        { numRuns: 60 },
      )
    })
})

describe('variance floor', () => {
  for (const covariance of ['full', 'tied', 'diag', 'spherical', 'factor'] as const)
    test(`${covariance}: no eigenvalue, in units of the overall variances, is below the floor`, () => {
      fc.assert(
        fc.property(fc.integer(), fc.integer({ min: 1, max: 6 }), fc.constantFrom(1e-6, 1e-2), (seed, rows, floor) => {
          const { block, responsibilities } = clusters(rows, 3, seed)
          const family = onKernel(gaussian({ components: 2, columns: 3, covariance }))
          const initial = family.initial(block)
          const statistics = empty(family)
          family.observe(statistics, block, responsibilities, initial)
          const prior = { ...DEFAULT_PRIOR, varianceFloor: floor }
          const { covariances } = family.maximise(statistics, prior, initial)
          for (const least of leastEigenvalues(covariance, covariances!, overallVariance(block)))
            expect(least).toBeGreaterThanOrEqual(floor * (1 - 1e-6))
        }),
        { numRuns: 100 },
      )
    })

  test('where no eigenvalue is below the floor, nothing is changed', () => {
    const { block, responsibilities } = clusters(200, 3, 5)
    const family = onKernel(gaussian({ components: 2, columns: 3, covariance: 'full' }))
    const initial = family.initial(block)
    const statistics = empty(family)
    family.observe(statistics, block, responsibilities, initial)
    const with_ = family.maximise(statistics, { ...DEFAULT_PRIOR, varianceFloor: 1e-3 }, initial)
    const without = family.maximise(statistics, { ...DEFAULT_PRIOR, varianceFloor: 0 }, initial)
    expect(with_).toEqual(without)
  })
})

function overallVariance(block: Block): Float64Array {
  const { rows, columns: d, values } = block
  return Float64Array.from({ length: d }, (_, j) => {
    const column = Array.from({ length: rows }, (_, n) => values[n * d + j]!)
    const mean = column.reduce((a, b) => a + b, 0) / rows
    const variance = column.reduce((a, b) => a + (b - mean) ** 2, 0) / rows
    return variance > 0 ? variance : 1
  })
}

function leastEigenvalues(covariance: string, packed: Float64Array, overall: Float64Array): number[] {
  const d = overall.length
  if (covariance === 'diag') return [...packed].map((v, i) => v / overall[i % d]!)
  if (covariance === 'spherical') return [...packed].map(v => (v * d) / overall.reduce((a, b) => a + b, 0))
  const p = packedIndex(d - 1, d - 1) + 1
  return Array.from({ length: packed.length / p }, (_, k) => {
    const square = unpackSymmetric(packed, d, k * p)
    for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) square[i * d + j]! /= Math.sqrt(overall[i]! * overall[j]!)
    return symmetricEigen(square, d).values[0]!
  })
}
