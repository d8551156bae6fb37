import type { Block } from '../block.ts'
import type { Parameters, Statistics } from '../family.ts'
import type { KernelExports } from './engine.ts'
import {
  type LoadedKernel,
  layOut,
  loadParameters,
  loadRows,
  loadWeights,
  takeStatistics,
  view,
} from './gaussian-kernel.ts'
import { completeness, gather, gatherRows } from './rows.ts'
import type { KernelShape } from './shape.ts'

/**
 * A component whose weighted density is at most this share of an event's largest adds nothing to s1 and S2 (full covariance);
 * s0 and the log-likelihood keep it. Relative to a component's own statistics the error is below 1e-17 / (its share of the weight).
 */
export const NEGLIGIBLE = 1e-17

/** The E-step and scoring of the scalar reference, for events the kernel does not take: missing values, |x| beyond 1e145 sd. */
export interface ScalarMixture {
  expectation(
    parameters: Parameters,
    block: Block,
    weights: Float64Array | undefined,
    into: Statistics,
  ): { logLikelihood: number; weight: number }
  score(parameters: Parameters, block: Block, posterior: Float64Array, logDensity: Float64Array): void
}

/**
 * E-step by the compiled kernel: adds the expected statistics of the events to `into`, as `Mixture.expectation`.
 * @param threshold see NEGLIGIBLE; negative to leave nothing out
 */
export function compiledExpectation(
  exports: KernelExports,
  shape: KernelShape,
  scalar: ScalarMixture,
  parameters: Parameters,
  block: Block,
  weights: Float64Array | undefined,
  into: Statistics,
  threshold = NEGLIGIBLE,
): { logLikelihood: number; weight: number } {
  const kernel = layOut(exports, shape, block.rows)
  loadParameters(kernel, parameters)
  let logLikelihood = 0
  let weight = 0
  for (let from = 0; from < block.rows; from += kernel.rows) {
    const to = Math.min(block.rows, from + kernel.rows)
    const value = run(kernel, block, weights, from, to, into, threshold)
    if (Number.isNaN(value)) {
      const part = partial(kernel, scalar, parameters, block, weights, from, to, into, threshold)
      logLikelihood += part.logLikelihood
      weight += part.weight
    } else {
      logLikelihood += value
      if (weights === undefined) weight += to - from
      else for (let n = from; n < to; n++) weight += weights[n]!
    }
  }
  return { logLikelihood, weight }
}

/** One chunk. @returns Σ w log p(x), or NaN with `into` untouched if the kernel does not take some row */
function run(
  kernel: LoadedKernel,
  block: Block,
  weights: Float64Array | undefined,
  from: number,
  to: number,
  into: Statistics,
  threshold: number,
): number {
  loadRows(kernel, block, from, to)
  if (weights !== undefined) loadWeights(kernel, weights, from, to)
  const value = kernel.exports.expectation(to - from, weights === undefined ? 0 : 1, threshold)
  if (Number.isNaN(value)) kernel.exports.clearStatistics()
  else takeStatistics(kernel, into)
  return value
}

/** One chunk with missing or huge values: the rest by the kernel, those by the reference. */
function partial(
  kernel: LoadedKernel,
  scalar: ScalarMixture,
  parameters: Parameters,
  block: Block,
  weights: Float64Array | undefined,
  from: number,
  to: number,
  into: Statistics,
  threshold: number,
): { logLikelihood: number; weight: number } {
  const { complete, incomplete } = completeness(block, from, to)
  let logLikelihood = 0
  let weight = 0
  for (const rows of [complete, incomplete]) {
    if (rows.length === 0) continue
    const part = gatherRows(block, rows)
    const partWeights = weights && gather(weights, rows)
    if (rows === complete && incomplete.length > 0) {
      const value = run(kernel, part, partWeights, 0, part.rows, into, threshold)
      if (!Number.isNaN(value)) {
        logLikelihood += value
        weight += partWeights === undefined ? part.rows : partWeights.reduce((a, b) => a + b, 0)
        continue
      }
    }
    const result = scalar.expectation(parameters, part, partWeights, into)
    logLikelihood += result.logLikelihood
    weight += result.weight
  }
  return { logLikelihood, weight }
}

/** Posterior and log density of each event by the compiled kernel, as `Mixture.score`. */
export function compiledScore(
  exports: KernelExports,
  shape: KernelShape,
  scalar: ScalarMixture,
  parameters: Parameters,
  block: Block,
  posterior: Float64Array,
  logDensity: Float64Array,
): void {
  const { components } = shape
  const kernel = layOut(exports, shape, block.rows)
  loadParameters(kernel, parameters)
  const scoreRows = (part: Block, from: number, to: number, target: Float64Array, density: Float64Array): boolean => {
    loadRows(kernel, part, from, to)
    if (Number.isNaN(exports.score(to - from))) return false
    target.set(view(kernel, exports.posterior.value, (to - from) * components), from * components)
    density.set(view(kernel, exports.logDensity.value, to - from), from)
    return true
  }
  for (let from = 0; from < block.rows; from += kernel.rows) {
    const to = Math.min(block.rows, from + kernel.rows)
    if (scoreRows(block, from, to, posterior, logDensity)) continue
    const { complete, incomplete } = completeness(block, from, to)
    for (const rows of [complete, incomplete]) {
      if (rows.length === 0) continue
      const part = gatherRows(block, rows)
      const partPosterior = new Float64Array(rows.length * components)
      const partDensity = new Float64Array(rows.length)
      const byKernel = rows === complete && incomplete.length > 0
      if (!(byKernel && scoreRows(part, 0, part.rows, partPosterior, partDensity)))
        scalar.score(parameters, part, partPosterior, partDensity)
      for (let n = 0; n < rows.length; n++) {
        posterior.set(partPosterior.subarray(n * components, (n + 1) * components), rows[n]! * components)
        logDensity[rows[n]!] = partDensity[n]!
      }
    }
  }
}
