import type { Block } from '../block.ts'
import { empty, type Parameters, type Statistics } from '../family.ts'
import type { Expectation, Mixture } from '../mixture.ts'
import { negligibleCut } from './engine.ts'
import type { KernelForm } from './form.ts'
import { addLevelSums, clearLevelSums, writeLevels } from './level-sums.ts'
import { copyRows, type LoadedKernel, loadKernel, takeStatistics } from './loaded-kernel.ts'
import { addMarginalStatistics, marginalGrouper } from './marginal.ts'
import { completeness, gather, gatherRows } from './rows.ts'

/** The methods of a mixture that the compiled kernel has. */
export type CompiledMixture = Pick<Mixture, 'expectation' | 'score'>

/**
 * E-step and scoring by the compiled kernel, where it runs; otherwise by `reference`. Events with missing values are complete
 * events of a marginal mixture; the reference takes those whose pattern is rare, and values too large for f64.
 * @param marginal the mixture of the same form over fewer columns
 */
export function compiledMixture(
  form: KernelForm,
  reference: CompiledMixture,
  marginal: (columns: number) => Mixture,
): CompiledMixture {
  const { layout, shape } = form
  const { components } = layout
  const grouped: ReturnType<typeof marginalGrouper> =
    form.levelled.length === 0 ? marginalGrouper(layout) : (_parameters, _block, rest) => ({ groups: [], rest })

  /** The kernel, holding the parameters: whatever else was done with it since. */
  const load = (parameters: Parameters, rows: number) =>
    loadKernel(shape, rows, form.parameters(parameters), parameters.weights)

  const expectation = (
    parameters: Parameters,
    block: Block,
    weights: Float64Array | undefined,
    into: Statistics,
  ): Expectation => {
    const step = load(parameters, block.rows)?.rows
    if (step === undefined) return reference.expectation(parameters, block, weights, into)
    const total = { logLikelihood: 0, weight: 0 }
    const add = (part: Expectation): void => {
      total.logLikelihood += part.logLikelihood
      total.weight += part.weight
    }
    const byKernel = (part: Block, partWeights: Float64Array | undefined, from: number, to: number): boolean =>
      expectationOfRows(load(parameters, step)!, form, parameters, part, partWeights, from, to, into, total)
    const byReference = (rows: Int32Array): void => {
      if (rows.length > 0)
        add(reference.expectation(parameters, gatherRows(block, rows), weights && gather(weights, rows), into))
    }
    for (let from = 0; from < block.rows; from += step) {
      const to = Math.min(block.rows, from + step)
      if (byKernel(block, weights, from, to)) continue
      const { complete, incomplete } = completeness(block, from, to)
      const part = gatherRows(block, complete)
      const tried = incomplete.length > 0 && byKernel(part, weights && gather(weights, complete), 0, part.rows)
      if (!tried) byReference(complete)
      const { groups, rest } = grouped(parameters, block, incomplete)
      for (const group of groups) {
        const model = marginal(group.block.columns)
        const statistics = empty(model)
        const own = { ...group.parameters, weights: parameters.weights! }
        add(model.expectation(own, group.block, weights && gather(weights, group.rows), statistics))
        addMarginalStatistics(layout, parameters, group.pattern, statistics, into)
      }
      byReference(rest)
    }
    return total
  }

  const score = (parameters: Parameters, block: Block, posterior: Float64Array, logDensity: Float64Array): void => {
    const step = load(parameters, block.rows)?.rows
    if (step === undefined) {
      reference.score(parameters, block, posterior, logDensity)
      return
    }
    const scatter = (rows: Int32Array, by: (posteriors: Float64Array, densities: Float64Array) => void): void => {
      const posteriors = new Float64Array(rows.length * components)
      const densities = new Float64Array(rows.length)
      if (rows.length > 0) by(posteriors, densities)
      for (let n = 0; n < rows.length; n++) {
        posterior.set(posteriors.subarray(n * components, (n + 1) * components), rows[n]! * components)
        logDensity[rows[n]!] = densities[n]!
      }
    }
    for (let from = 0; from < block.rows; from += step) {
      const to = Math.min(block.rows, from + step)
      if (scoreRows(load(parameters, step)!, form, parameters, block, from, to, posterior, logDensity)) continue
      const { complete, incomplete } = completeness(block, from, to)
      scatter(complete, (posteriors, densities) => {
        const part = gatherRows(block, complete)
        const tried =
          incomplete.length > 0 &&
          scoreRows(load(parameters, step)!, form, parameters, part, 0, part.rows, posteriors, densities)
        if (!tried) reference.score(parameters, part, posteriors, densities)
      })
      const { groups, rest } = grouped(parameters, block, incomplete)
      for (const group of groups)
        scatter(group.rows, (posteriors, densities) => {
          const own = { ...group.parameters, weights: parameters.weights! }
          marginal(group.block.columns).score(own, group.block, posteriors, densities)
        })
      scatter(rest, (posteriors, densities) =>
        reference.score(parameters, gatherRows(block, rest), posteriors, densities),
      )
    }
  }

  return { expectation, score }
}

/** Adds rows [from, to) to `into` and `total`. @returns false, with both untouched, if the kernel does not take some row */
function expectationOfRows(
  kernel: LoadedKernel,
  form: KernelForm,
  parameters: Parameters,
  block: Block,
  weights: Float64Array | undefined,
  from: number,
  to: number,
  into: Statistics,
  total: { logLikelihood: number; weight: number },
): boolean {
  const { exports, memory } = kernel
  copyRows(kernel, block, from, to, form.places)
  const firsts = writeLevels(kernel, form, parameters, block, from, to)
  if (weights !== undefined) memory.weights.set(weights.subarray(from, to))
  const value = exports.expectation(to - from, weights === undefined ? 0 : 1, negligibleCut(), form.shape.levelColumns)
  const taken = !Number.isNaN(value)
  if (taken) addLevelSums(kernel, form, firsts, into)
  clearLevelSums(kernel, form, firsts.at(-1)!)
  if (!taken) {
    exports.clearStatistics()
    return false
  }
  takeStatistics(kernel, into.subarray(form.statistics.from))
  total.logLikelihood += value
  if (weights === undefined) total.weight += to - from
  else for (let n = from; n < to; n++) total.weight += weights[n]!
  return true
}

/** Scores rows [from, to). @returns false if the kernel does not take some row */
function scoreRows(
  kernel: LoadedKernel,
  form: KernelForm,
  parameters: Parameters,
  block: Block,
  from: number,
  to: number,
  posterior: Float64Array,
  logDensity: Float64Array,
): boolean {
  const { exports, shape, memory } = kernel
  copyRows(kernel, block, from, to, form.places)
  writeLevels(kernel, form, parameters, block, from, to)
  if (Number.isNaN(exports.score(to - from, negligibleCut(), form.shape.levelColumns))) return false
  posterior.set(memory.posterior.subarray(0, (to - from) * shape.components), from * shape.components)
  logDensity.set(memory.logDensity.subarray(0, to - from), from)
  return true
}
