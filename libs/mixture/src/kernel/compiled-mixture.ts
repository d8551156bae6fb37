import type { Block } from '../block.ts'
import type { Parameters, Statistics } from '../family.ts'
import type { Expectation, Mixture } from '../mixture.ts'
import { negligibleCut } from './engine.ts'
import { copyRows, type LoadedKernel, loadKernel, takeStatistics, view } from './loaded-kernel.ts'
import { completeness, gather, gatherRows } from './rows.ts'
import type { KernelShape } from './shape.ts'

/** The methods of a mixture that the compiled kernel has. The reference takes over for events with missing or huge values. */
export type CompiledMixture = Pick<Mixture, 'expectation' | 'score'>

/** E-step and scoring by the compiled kernel, where it runs; otherwise by `reference`. */
export function compiledMixture(shape: KernelShape, reference: CompiledMixture): CompiledMixture {
  const { components } = shape

  const expectation = (
    parameters: Parameters,
    block: Block,
    weights: Float64Array | undefined,
    into: Statistics,
  ): Expectation => {
    const first = loadKernel(shape, block.rows, parameters, parameters.weights)
    if (first === undefined) return reference.expectation(parameters, block, weights, into)
    const total = { logLikelihood: 0, weight: 0 }
    const { rows: step } = first
    for (let from = 0; from < block.rows; from += step) {
      // The reference may have used the kernel for something else.
      const kernel = loadKernel(shape, block.rows, parameters, parameters.weights)!
      const to = Math.min(block.rows, from + step)
      if (expectationOfRows(kernel, block, weights, from, to, into, total)) continue
      const { complete, incomplete } = completeness(block, from, to)
      for (const rows of [complete, incomplete]) {
        if (rows.length === 0) continue
        const part = gatherRows(block, rows)
        const partWeights = weights && gather(weights, rows)
        const worthTrying = rows === complete && incomplete.length > 0
        if (worthTrying && expectationOfRows(kernel, part, partWeights, 0, part.rows, into, total)) continue
        const rest = reference.expectation(parameters, part, partWeights, into)
        total.logLikelihood += rest.logLikelihood
        total.weight += rest.weight
      }
    }
    return total
  }

  const score = (parameters: Parameters, block: Block, posterior: Float64Array, logDensity: Float64Array): void => {
    const first = loadKernel(shape, block.rows, parameters, parameters.weights)
    if (first === undefined) {
      reference.score(parameters, block, posterior, logDensity)
      return
    }
    const { rows: step } = first
    for (let from = 0; from < block.rows; from += step) {
      // The reference may have used the kernel for something else.
      const kernel = loadKernel(shape, block.rows, parameters, parameters.weights)!
      const to = Math.min(block.rows, from + step)
      if (scoreRows(kernel, block, from, to, posterior, logDensity)) continue
      const { complete, incomplete } = completeness(block, from, to)
      for (const rows of [complete, incomplete]) {
        if (rows.length === 0) continue
        const part = gatherRows(block, rows)
        const partPosterior = new Float64Array(rows.length * components)
        const partDensity = new Float64Array(rows.length)
        const worthTrying = rows === complete && incomplete.length > 0
        if (!(worthTrying && scoreRows(kernel, part, 0, part.rows, partPosterior, partDensity)))
          reference.score(parameters, part, partPosterior, partDensity)
        for (let n = 0; n < rows.length; n++) {
          posterior.set(partPosterior.subarray(n * components, (n + 1) * components), rows[n]! * components)
          logDensity[rows[n]!] = partDensity[n]!
        }
      }
    }
  }

  return { expectation, score }
}

/** Adds rows [from, to) to `into` and `total`. @returns false, with both untouched, if the kernel does not take some row */
function expectationOfRows(
  kernel: LoadedKernel,
  block: Block,
  weights: Float64Array | undefined,
  from: number,
  to: number,
  into: Statistics,
  total: { logLikelihood: number; weight: number },
): boolean {
  const { exports } = kernel
  copyRows(kernel, block, from, to)
  if (weights !== undefined) view(kernel, exports.weights.value, to - from).set(weights.subarray(from, to))
  const value = exports.expectation(to - from, weights === undefined ? 0 : 1, negligibleCut())
  if (Number.isNaN(value)) {
    exports.clearStatistics()
    return false
  }
  takeStatistics(kernel, into)
  total.logLikelihood += value
  if (weights === undefined) total.weight += to - from
  else for (let n = from; n < to; n++) total.weight += weights[n]!
  return true
}

/** Scores rows [from, to). @returns false if the kernel does not take some row */
function scoreRows(
  kernel: LoadedKernel,
  block: Block,
  from: number,
  to: number,
  posterior: Float64Array,
  logDensity: Float64Array,
): boolean {
  const { exports, shape } = kernel
  copyRows(kernel, block, from, to)
  if (Number.isNaN(exports.score(to - from, negligibleCut()))) return false
  posterior.set(view(kernel, exports.posterior.value, (to - from) * shape.components), from * shape.components)
  logDensity.set(view(kernel, exports.logDensity.value, to - from), from)
  return true
}
