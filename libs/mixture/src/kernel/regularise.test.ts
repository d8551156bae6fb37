import { describe, expect, test } from 'vitest'
import { expectSameEstimates } from '../../test/kernel-agreement.ts'
import { mixture } from '../em/mixture.ts'
import { empty, type Parameters, type Statistics } from '../families/family.ts'
import { gaussian } from '../families/gaussian/gaussian.ts'
import type { Prior } from '../families/prior.ts'
import { DEFAULT_PRIOR } from '../model/specification.ts'
import { packedIndex, packedLength, unpackSymmetric } from '../numerics/packed.ts'
import { random, standardNormal } from '../numerics/random.ts'
import { symmetricEigen } from '../numerics/symmetric-eigen.ts'
import { compiledMaximise } from './compiled-maximise.ts'
import { instantiate } from './engine.ts'
import { KernelInstance } from './loaded-kernel.ts'

const instance = new KernelInstance(instantiate('webassembly')!, -40, false)
const K = 3
const DIMENSIONS = [1, 2, 3, 5, 16, 33, 64]

/** A way for covariances to have small eigenvalues, or none. */
interface Flavour {
  /** events a component */
  readonly rows?: (d: number) => number
  /** changes an event in place */
  readonly change?: (row: Float64Array) => void
}

const FLAVOURS: Readonly<Record<string, Flavour>> = {
  'enough events': {},
  'fewer events than features': { rows: d => Math.ceil(d / 2) },
  'one event': { rows: () => 1 },
  'a constant feature': { change: row => row.fill(7, 0, 1) },
  'a feature twice': { change: row => row.copyWithin(0, row.length - 1) },
  'features nearly equal': { change: row => row.fill(row[0]! + 1e-4 * row.at(-1)!, row.length - 1) },
  'features of unequal size': {
    change: row => {
      for (let j = 0; j < row.length; j++) row[j]! *= 4 ** (j % 3)
    },
  },
}

/** Statistics of K components of unequal spread. */
function observed({ rows = d => 4 * d + 2, change }: Flavour, d: number) {
  const uniform = random(d)
  const n = K * rows(d)
  const values = Float64Array.from({ length: n * d }, (_, i) => {
    const k = Math.floor(i / d) % K
    return 2 * k + (1 + k) * standardNormal(uniform)
  })
  for (let i = 0; i < n; i++) change?.(values.subarray(i * d, (i + 1) * d))
  const family = gaussian({ components: K, columns: d, covariance: 'full' })
  const model = mixture(family)
  const block = { rows: n, columns: d, values }
  const initial = model.initial(block)
  const statistics = empty(family)
  const responsibilities = Float64Array.from({ length: n * K }, (_, i) => (Math.floor(i / K) % K === i % K ? 1 : 0))
  family.observe(statistics, block, responsibilities, initial)
  const compiled = (prior: Prior, from = 0, to = K) => {
    return compiledMaximise(instance, family.layout, statistics, prior, initial, { from, to })!
  }
  return { model, initial, statistics, compiled }
}

/** The features' overall variances from statistics, 1 where there is none. */
function overallVariances(statistics: Statistics, d: number): Float64Array {
  const sum = (start: number, length: number, i: number) =>
    Array.from({ length: K }, (_, k) => statistics[start + k * length + i]!).reduce((a, b) => a + b)
  const weight = sum(0, 1, 0)
  return Float64Array.from({ length: d }, (_, j) => {
    const squares = sum(K * (1 + d), packedLength(d), packedIndex(j, j))
    const variance = squares / weight - (sum(K, d, j) / weight) ** 2
    return variance > 1e-22 ? variance : 1
  })
}

/** Eigenvalues of V^−½ Σ_k V^−½ of each component, ascending. */
function eigenvalues({ covariances }: Pick<Parameters, 'covariances'>, overall: Float64Array): Float64Array[] {
  const d = overall.length
  return Array.from({ length: K }, (_, k) => {
    const scaled = unpackSymmetric(covariances!, d, k * packedLength(d))
    for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) scaled[i * d + j]! /= Math.sqrt(overall[i]! * overall[j]!)
    return symmetricEigen(scaled, d).values
  })
}

const floored = (varianceFloor: number): Prior => ({ ...DEFAULT_PRIOR, varianceFloor })

describe.each(Object.entries(FLAVOURS))('full covariances with a floor, %s', (_name, flavour) => {
  test.each(DIMENSIONS)('the kernel leaves none, agrees, and holds the floor, d = %i', d => {
    const { model, initial, statistics, compiled } = observed(flavour, d)
    const overall = overallVariances(statistics, d)
    for (const floor of [1e-9, 1e-6, 1e-3, 0.03, 0.5, 2]) {
      const estimates = compiled(floored(floor))
      expect(estimates.left).toEqual([])
      for (const values of eigenvalues(estimates, overall))
        expect(values[0]).toBeGreaterThanOrEqual(floor - 4 * d * Number.EPSILON * values[d - 1]!)
      expectSameEstimates(model, statistics, floored(floor), initial)
    }
  })

  test.each(DIMENSIONS)('a component alone has the bits it has among others, d = %i', d => {
    const { compiled } = observed(flavour, d)
    const { left: _, ...whole } = compiled(floored(1e-3))
    for (let k = 0; k < K; k++) {
      const alone: Parameters = { ...compiled(floored(1e-3), k, k + 1), left: new Float64Array() }
      for (const [name, array] of Object.entries(whole)) {
        const size = array.length / K
        expect(alone[name]!.slice(k * size, (k + 1) * size)).toEqual(array.slice(k * size, (k + 1) * size))
      }
    }
  })
})

test('what it cannot regularise is left: a singular matrix without a floor, variances whose products overflow', () => {
  const few = observed({ rows: () => 2 }, 5)
  expect(few.compiled(floored(0)).left).toEqual([0, 1, 2])
  expectSameEstimates(few.model, few.statistics, floored(0), few.initial)
  const huge = observed({ rows: () => 2, change: row => row.set(row.map(value => value * 1e80)) }, 5)
  expect(huge.compiled(floored(1e-6)).left).toEqual([0, 1, 2])
  expectSameEstimates(huge.model, huge.statistics, floored(1e-6), huge.initial)
})
