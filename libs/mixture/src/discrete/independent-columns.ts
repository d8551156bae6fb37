import type { Block } from '../block.ts'
import type { Family, Parameters, Statistics } from '../family.ts'
import { boundLogDensity } from '../numerics/log-sum-exp.ts'
import type { Prior } from '../prior.ts'

/** A component with less than this share of a column's weight keeps its parameters there. */
const OCCUPANCY_FLOOR = 1e-10

/** One-parameter distribution of a single value: what bernoulli and poisson differ in. */
export interface ScalarDistribution {
  readonly name: string
  /** name of the parameter array, shape (K, d): the mean of the value */
  readonly parameter: string
  /** Whether a value can be of this distribution; others count as missing. */
  readonly accepts: (value: number) => boolean
  /** The nearest mean for which every acceptable value has a positive probability. */
  readonly hold: (mean: number) => number
  /**
   * log p(x | mean) = slope · x + offset + base(x): the terms that depend on the mean are worked out once a block.
   */
  readonly slope: (mean: number) => number
  readonly offset: (mean: number) => number
  readonly base: (value: number) => number
}

/**
 * Columns that are independent given the component, each with the same one-parameter distribution.
 * Statistics: `[ s0 (K) | weight of observed values (K·d) | Σ r x (K·d) ]`. A missing value (NaN) adds to s0 alone, which
 * is exact: its column's mean is estimated from what was observed.
 * Parameters: one array (K, d), the means. Under a prior a mean is pulled to the overall mean by `meanPseudoEvents`.
 */
export function independentColumns(distribution: ScalarDistribution, components: number, columns: number): Family {
  const d = columns
  const K = components
  const weightsAt = K
  const sumsAt = K + K * d
  const slopes = new Float64Array(K * d)
  const offsets = new Float64Array(K * d)

  return {
    name: distribution.name,
    components: K,
    columns: d,
    statisticsLength: K + 2 * K * d,

    initial(block, weights) {
      const means = new Float64Array(K * d)
      for (let j = 0; j < d; j++) {
        let weight = 0
        let sum = 0
        for (let n = 0; n < block.rows; n++) {
          const x = block.values[n * d + j]!
          if (!distribution.accepts(x)) continue
          const w = weights?.[n] ?? 1
          weight += w
          sum += w * x
        }
        const mean = distribution.hold(weight > 0 ? sum / weight : 0.5)
        for (let k = 0; k < K; k++) means[k * d + j] = mean
      }
      return { [distribution.parameter]: means }
    },

    observe(into: Statistics, block: Block, responsibilities: Float64Array) {
      for (let n = 0; n < block.rows; n++) {
        for (let k = 0; k < K; k++) into[k]! += responsibilities[n * K + k]!
        for (let j = 0; j < d; j++) {
          const x = block.values[n * d + j]!
          if (!distribution.accepts(x)) continue
          for (let k = 0; k < K; k++) {
            const r = responsibilities[n * K + k]!
            into[weightsAt + k * d + j]! += r
            into[sumsAt + k * d + j]! += r * x
          }
        }
      }
    },

    maximise(statistics: Statistics, prior: Prior, previous: Parameters) {
      const means = previous[distribution.parameter]!.slice()
      const pseudo = prior.meanPseudoEvents
      for (let j = 0; j < d; j++) {
        let weight = 0
        let sum = 0
        for (let k = 0; k < K; k++) {
          weight += statistics[weightsAt + k * d + j]!
          sum += statistics[sumsAt + k * d + j]!
        }
        if (!(weight > 0 && Number.isFinite(sum))) continue
        for (let k = 0; k < K; k++) {
          const own = statistics[weightsAt + k * d + j]!
          if (!(own > OCCUPANCY_FLOOR * weight)) continue
          const mean = (statistics[sumsAt + k * d + j]! + (pseudo * sum) / weight) / (own + pseudo)
          means[k * d + j] = distribution.hold(mean)
        }
      }
      return { [distribution.parameter]: means }
    },

    logDensity(parameters: Parameters, block: Block, out: Float64Array) {
      const means = parameters[distribution.parameter]!
      for (let i = 0; i < K * d; i++) {
        slopes[i] = distribution.slope(means[i]!)
        offsets[i] = distribution.offset(means[i]!)
      }
      out.fill(0, 0, block.rows * K)
      for (let n = 0; n < block.rows; n++) {
        for (let j = 0; j < d; j++) {
          const x = block.values[n * d + j]!
          if (!distribution.accepts(x)) continue
          const base = distribution.base(x)
          for (let k = 0; k < K; k++) out[n * K + k]! += slopes[k * d + j]! * x + offsets[k * d + j]! + base
        }
        for (let k = 0; k < K; k++) out[n * K + k] = boundLogDensity(out[n * K + k]!)
      }
    },
  }
}
