import { type Block, rowsOf } from '../families/block.ts'
import { type Family, overallMoments, type Parameters, type Statistics } from '../families/family.ts'
import { posteriorFromLogs } from '../numerics/log-sum-exp.ts'

/** Events are handled this many at a time, so that scratch memory stays small and is used again. */
const BLOCK_ROWS = 1024

/** Σ w log p(x) and Σ w of some events. */
export interface Expectation {
  /** Σ weight · log p(x) under the parameters of the E-step, nats */
  readonly logLikelihood: number
  /** Σ weight */
  readonly weight: number
}

/**
 * A finite mixture Σ_k π_k p(x | θ_k). A Family of one component whose `observe` is the E-step.
 * Statistics: those of `inner`, whose s0 (K) are the component weights too.
 * Parameters: `weights` π (K), and the arrays of `inner`.
 */
export interface Mixture extends Family {
  /** The component densities. */
  readonly inner: Family

  /**
   * E-step: adds the expected sufficient statistics of the events to `into`.
   * @param weights shape (rows), event weights ≥ 0; 1 each if undefined
   * @param into written to, length `statisticsLength`
   */
  expectation(parameters: Parameters, block: Block, weights: Float64Array | undefined, into: Statistics): Expectation

  /**
   * Posterior and log density of each event.
   * @param posterior written to, shape (rows, K): p(k | x_n); rows sum to 1
   * @param logDensity written to, shape (rows): log p(x_n), nats, in the units of `block`
   */
  score(parameters: Parameters, block: Block, posterior: Float64Array, logDensity: Float64Array): void
}

/** The mixture whose components are `inner`'s. */
export function mixture(inner: Family): Mixture {
  const { components, columns, statisticsLength } = inner
  let blockPosterior = new Float64Array(0)
  let blockLogDensity = new Float64Array(0)
  const logWeights = new Float64Array(components)

  /** Takes log π, and sees to scratch memory for blocks of up to `rows` events. */
  const prepare = (parameters: Parameters, rows: number): void => {
    const length = Math.min(rows, BLOCK_ROWS)
    if (blockLogDensity.length < length) {
      blockPosterior = new Float64Array(length * components)
      blockLogDensity = new Float64Array(length)
    }
    for (let k = 0; k < components; k++) logWeights[k] = Math.log(parameters.weights![k]!)
  }

  const expectation = (
    parameters: Parameters,
    block: Block,
    weights: Float64Array | undefined,
    into: Statistics,
  ): Expectation => {
    prepare(parameters, block.rows)
    let logLikelihood = 0
    let weight = 0
    for (let start = 0; start < block.rows; start += BLOCK_ROWS) {
      const part = rowsOf(block, start, Math.min(block.rows, start + BLOCK_ROWS))
      inner.logDensity(parameters, part, blockPosterior)
      posteriorFromLogs(blockPosterior, logWeights, part.rows, components, blockLogDensity)
      for (let n = 0; n < part.rows; n++) {
        const w = weights === undefined ? 1 : weights[start + n]!
        weight += w
        // An event without weight adds nothing, whatever its density.
        if (w !== 0) logLikelihood += w * blockLogDensity[n]!
        if (w !== 1) for (let k = 0; k < components; k++) blockPosterior[n * components + k]! *= w
      }
      inner.observe(into, part, blockPosterior, parameters)
    }
    return { logLikelihood, weight }
  }

  const score = (parameters: Parameters, block: Block, posterior: Float64Array, logDensity: Float64Array): void => {
    prepare(parameters, block.rows)
    for (let start = 0; start < block.rows; start += BLOCK_ROWS) {
      const part = rowsOf(block, start, Math.min(block.rows, start + BLOCK_ROWS))
      const logs = posterior.subarray(start * components)
      inner.logDensity(parameters, part, logs)
      posteriorFromLogs(logs, logWeights, part.rows, components, logDensity.subarray(start))
    }
  }

  return {
    name: 'mixture',
    inner,
    components: 1,
    columns,
    statisticsLength,
    expectation,
    score,

    initial: (block, weights) => ({
      weights: new Float64Array(components).fill(1 / components),
      ...inner.initial(block, weights),
    }),

    observe(into, block, responsibilities, parameters) {
      expectation(parameters, block, responsibilities, into)
    },

    /** Arrays of `previous` that the families do not know, such as a frozen transform, are handed on. */
    maximise(statistics, prior, previous, only, into) {
      let total = 0
      const weights = new Float64Array(components)
      // Variance-reduced statistics can put a component a little below nothing.
      for (let k = 0; k < components; k++) total += weights[k] = Math.max(statistics[k]!, 0)
      if (!(total > 0 && total < Infinity)) return previous
      const pseudo = prior.weightPseudoEvents
      let sum = 0
      for (let k = 0; k < components; k++) {
        weights[k] = (weights[k]! + pseudo) / (total + components * pseudo)
        sum += weights[k]!
      }
      for (let k = 0; k < components; k++) weights[k]! /= sum
      return { ...previous, ...inner.maximise(statistics, prior, previous, only, into), weights }
    },

    logDensity(parameters, block, out) {
      prepare(parameters, block.rows)
      for (let start = 0; start < block.rows; start += BLOCK_ROWS) {
        const part = rowsOf(block, start, Math.min(block.rows, start + BLOCK_ROWS))
        inner.logDensity(parameters, part, blockPosterior)
        posteriorFromLogs(blockPosterior, logWeights, part.rows, components, out.subarray(start))
      }
    },

    moments(parameters) {
      const moments = inner.moments(parameters)
      const { mean, variance } = overallMoments(moments, parameters.weights!)
      return { columns: moments.columns, means: mean, variances: variance }
    },
  }
}
