import {
  type Block,
  DEFAULT_PRIOR,
  empty,
  type Mixture,
  type Parameters,
  type Prior,
  type Random,
  type Statistics,
} from '@eddy/mixture'
import { expect } from 'vitest'
import { relativeError } from '../src/laws/family-laws.ts'
import { packedLength, unpackSymmetric } from '../src/numerics/packed.ts'
import { symmetricEigen } from '../src/numerics/symmetric-eigen.ts'
import { compiledKernel } from './on-kernel.ts'

export const COVARIANCES = ['full', 'tied', 'diag', 'spherical', 'factor'] as const

/** Parameters after an M-step from random responsibilities, weights unequal. */
export function fitted(model: Mixture, block: Block, uniform: Random, prior: Prior = DEFAULT_PRIOR): Parameters {
  const { components } = model.inner
  const responsibilities = Float64Array.from({ length: block.rows * components }, () => uniform() ** 4 + 1e-3)
  const initial = model.initial(block)
  const statistics = empty(model)
  model.inner.observe(statistics, block, responsibilities, initial)
  return model.maximise(statistics, prior, initial)
}

/** What the E-step and scoring make of events. */
export function steps(model: Mixture, parameters: Parameters, block: Block, weights?: Float64Array) {
  const statistics = empty(model)
  const { logLikelihood, weight } = model.expectation(parameters, block, weights, statistics)
  const posterior = new Float64Array(block.rows * model.inner.components)
  const logDensity = new Float64Array(block.rows)
  model.score(parameters, block, posterior, logDensity)
  return { statistics, total: Float64Array.of(logLikelihood, weight), posterior, logDensity }
}

/** Both implementations do the same: every array agrees to the tolerance, relative to its size. @param reference without a kernel */
export function expectKernelsToAgree(
  reference: Mixture,
  work: (model: Mixture) => Readonly<Record<string, Float64Array>>,
  tolerance = 1e-12,
): void {
  const actual = work(compiledKernel.accelerate(reference))
  const expected = work(reference)
  for (const [name, array] of Object.entries(expected))
    expect(relativeError(actual[name]!, array), name).toBeLessThanOrEqual(tolerance)
}

/** Scores of each event alone have the bits of those in the block. */
export function expectSameBitsAlone(model: Mixture, parameters: Parameters, { rows, columns, values }: Block): void {
  const { components } = model.inner
  const { posterior, logDensity } = steps(model, parameters, { rows, columns, values })
  for (let n = 0; n < rows; n++) {
    const one = { rows: 1, columns, values: values.slice(n * columns, (n + 1) * columns) }
    const alone = steps(model, parameters, one)
    expect(alone.posterior).toEqual(posterior.slice(n * components, (n + 1) * components))
    expect(alone.logDensity[0]).toBe(logDensity[n])
  }
}

/**
 * Both implementations estimate the same parameters: every array agrees to 1e-12, relative to its size; L⁻¹ of full covariances and
 * its logarithm to δκ where that is more. Σ of condition κ that is off by δ‖Σ‖ has its L⁻¹ off by δκ‖L⁻¹‖ (Sun 1991; Higham 2002,
 * §10.2), and rounding is δ = dε.
 */
export function expectSameEstimates(
  reference: Mixture,
  statistics: Statistics,
  prior: Prior,
  previous: Parameters,
): void {
  const actual = compiledKernel.accelerate(reference).maximise(statistics, prior, previous)
  const expected = reference.maximise(statistics, prior, previous)
  expect(Object.keys(actual).toSorted()).toEqual(Object.keys(expected).toSorted())
  const rounding = reference.columns * Number.EPSILON * worstCondition(reference, expected)
  for (const [name, array] of Object.entries(expected)) {
    const tolerance = name === 'precisionsCholesky' || name === 'logDeterminants' ? Math.max(1e-12, rounding) : 1e-12
    expect(relativeError(actual[name]!, array), name).toBeLessThanOrEqual(tolerance)
  }
}

/** The largest condition number of the components' full covariances; 0 for other forms. */
function worstCondition({ inner, columns: d }: Mixture, { covariances }: Parameters): number {
  let worst = 0
  if (covariances!.length !== inner.components * packedLength(d)) return worst
  for (let k = 0; k < inner.components; k++) {
    const { values } = symmetricEigen(unpackSymmetric(covariances!, d, k * packedLength(d)), d)
    worst = Math.max(worst, values[d - 1]! / values[0]!)
  }
  return worst
}
