import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import {
  type Block,
  batchEm,
  createMixture,
  createSpecification,
  DEFAULT_PRIOR,
  estimateTransform,
  type Fit,
  type ModelSpecification,
  startingParameters,
} from '@eddy/mixture'
import { toUserUnits } from '../src/model/user-units.ts'

/** Parameters as scikit-learn nests them. */
export interface ReferenceResult {
  readonly weights: number[]
  readonly means: number[][]
  readonly covariances: unknown
  readonly lowerBound: number
  readonly meanLogDensity: number
}

export interface ReferenceCase {
  readonly covariance: 'full' | 'tied' | 'diag' | 'spherical'
  readonly start: { readonly weights: number[]; readonly means: number[][]; readonly covariances: unknown }
  readonly after1: ReferenceResult
  readonly after50: ReferenceResult
}

export interface ReferenceSet {
  readonly components: number
  readonly data: number[][]
  /** the true classes */
  readonly labels: number[]
  readonly cases: readonly ReferenceCase[]
}

/** Data sets of `test/reference/gaussian_mixture.py`. */
export const REFERENCE_SETS = ['iris', 'wine', 'digits'] as const

export function readReferenceSet(name: string, folder = '../../../test/reference/fixtures/'): ReferenceSet {
  const url = new URL(`${folder}${name}.json.gz`, import.meta.url)
  return JSON.parse(gunzipSync(readFileSync(url)).toString()) as ReferenceSet
}

export const blockOf = (rows: readonly (readonly number[])[]): Block => ({
  rows: rows.length,
  columns: rows[0]!.length,
  values: Float64Array.from(rows.flat()),
})

/** Our batch EM from a case's start, without transform, prior or floor. */
export function fitCase(set: ReferenceSet, reference: ReferenceCase, iterations: number) {
  const block = blockOf(set.data)
  const specification: ModelSpecification = createSpecification({
    features: set.data[0]!.map((_, j) => `x${j}`),
    components: set.components,
    covariance: reference.covariance,
    standardise: false,
    prior: { varianceFloor: 0 },
  })
  const mixture = createMixture(specification)
  const transform = estimateTransform(specification, block)
  const start = startingParameters(specification, transform, block, {
    weights_: reference.start.weights,
    means_: reference.start.means,
    covariances_: reference.start.covariances,
  })
  const fit: Fit = batchEm({
    prior: { ...DEFAULT_PRIOR, varianceFloor: 0 },
    tolerance: 0,
    maxIterations: iterations,
  }).fit(mixture, block, undefined, { parameters: start })
  const posterior = new Float64Array(block.rows * set.components)
  const logDensity = new Float64Array(block.rows)
  mixture.score(fit.parameters, block, posterior, logDensity)
  const user = toUserUnits(specification, transform, fit.parameters)
  return {
    weights: [...fit.parameters.weights!],
    means: user.means,
    covariances: user.covariances,
    lowerBound: fit.lowerBound,
    meanLogDensity: logDensity.reduce((a, b) => a + b, 0) / block.rows,
  }
}

/** Largest difference of two nested arrays, as a share of the largest magnitude. */
export function nestedError(actual: unknown, expected: unknown): number {
  const a = [actual].flat(4) as number[]
  const b = [expected].flat(4) as number[]
  if (a.length !== b.length) return Infinity
  const size = Math.max(...b.map(Math.abs))
  return Math.max(...a.map((x, i) => Math.abs(x - b[i]!))) / size
}
