import type { Mixture } from '../em/mixture.ts'
import { type Block, rowsOf } from '../families/block.ts'
import type { Parameters, Statistics } from '../families/family.ts'
import type { KernelForm } from './form.ts'
import { addLevelSums, clearLevelSums, writeLevels } from './level-sums.ts'
import { copyRows, type KernelInstance, type LoadedKernel, lendStatistics, takeStatistics } from './loaded-kernel.ts'
import { leastSingleDensity } from './single-precision.ts'

/** The methods of a mixture that the compiled kernel has. */
export type CompiledMixture = Pick<Mixture, 'expectation' | 'score'>

/** E-step and scoring by the compiled kernel; of values too large for f64, by `reference`. */
export function compiledMixture(
  instance: KernelInstance,
  form: KernelForm,
  reference: CompiledMixture,
): CompiledMixture {
  /** The kernel, holding the parameters: whatever else was done with it since. */
  const load = (parameters: Parameters, rows: number) =>
    instance.load(form.shape, rows, form.parameters(parameters), parameters.weights)

  return {
    expectation(parameters, block, weights, into) {
      const step = load(parameters, block.rows).rows
      const total = { logLikelihood: 0, weight: 0 }
      for (let from = 0; from < block.rows; from += step) {
        const to = Math.min(block.rows, from + step)
        const kernel = load(parameters, step)
        if (expectationOfRows(instance, kernel, form, parameters, block, weights, from, to, into, total)) continue
        const part = reference.expectation(parameters, rowsOf(block, from, to), weights?.subarray(from, to), into)
        total.logLikelihood += part.logLikelihood
        total.weight += part.weight
      }
      return total
    },

    score(parameters, block, posterior, logDensity) {
      const { components } = form.shape
      const step = load(parameters, block.rows).rows
      for (let from = 0; from < block.rows; from += step) {
        const to = Math.min(block.rows, from + step)
        const kernel = load(parameters, step)
        if (scoreRows(instance, kernel, form, parameters, block, from, to, posterior, logDensity)) continue
        const posteriors = posterior.subarray(from * components, to * components)
        reference.score(parameters, rowsOf(block, from, to), posteriors, logDensity.subarray(from, to))
      }
    },
  }
}

/** Adds rows [from, to) to `into` and `total`. @returns false, with both untouched, if the kernel does not take some row */
function expectationOfRows(
  instance: KernelInstance,
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
  const sums = form.levelled.length === 0 ? into : into.subarray(form.statistics.from, form.statistics.to)
  lendStatistics(kernel, sums)
  const value = exports.expectation(to - from, weights === undefined ? 0 : 1, instance.cut, form.shape.levelColumns)
  const taken = !Number.isNaN(value)
  if (taken) {
    // The sums of cells are added to the numbers' own statistics: after those have been taken.
    takeStatistics(kernel, sums)
    addLevelSums(kernel, form, firsts, into)
  }
  clearLevelSums(kernel, form, firsts.at(-1)!)
  if (!taken) return false
  total.logLikelihood += value
  if (weights === undefined) total.weight += to - from
  else for (let n = from; n < to; n++) total.weight += weights[n]!
  return true
}

/** Scores rows [from, to). @returns false if the kernel does not take some row */
function scoreRows(
  instance: KernelInstance,
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
  const least = instance.singlePrecision ? leastSingleDensity(shape, form.parameters(parameters)) : Infinity
  if (Number.isNaN(exports.score(to - from, instance.cut, shape.levelColumns, least))) return false
  posterior.set(memory.posterior.subarray(0, (to - from) * shape.components), from * shape.components)
  logDensity.set(memory.logDensity.subarray(0, to - from), from)
  return true
}
