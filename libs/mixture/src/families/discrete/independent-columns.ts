import { boundLogDensity } from '../../numerics/log-sum-exp.ts'
import type { Block } from '../block.ts'
import { columnwise, type Parameters, type Statistics } from '../family.ts'
import type { Prior } from '../prior.ts'
import type { LevelledFamily, Levels } from './levels.ts'
import { MetLevels } from './met-levels.ts'

/** A component with less than this share of a column's weight keeps its parameters there. */
const OCCUPANCY_FLOOR = 1e-10

/** One-parameter distribution of a single value: what bernoulli and poisson differ in. */
export interface ScalarDistribution {
  readonly name: string
  /** name of the parameter array, shape (K, d): the mean of the value */
  readonly parameter: string
  /** Variance of the value. */
  readonly variance: (mean: number) => number
  /** The nearest mean for which every acceptable value has a positive probability. */
  readonly hold: (mean: number) => number
  /**
   * log p(x | mean) = slope · x + offset + base(x): the terms that depend on the mean are worked out once a block.
   */
  readonly slope: (mean: number) => number
  readonly offset: (mean: number) => number
  /**
   * base(x) of the first `length` values, NaN for what cannot be of this distribution and counts as missing. All of a block in one
   * call: a call a value would cost more than the value's work.
   * @param out written to
   */
  readonly bases: (values: Float64Array, length: number, out: Float64Array) => void
}

/**
 * Columns that are independent given the component, each with the same one-parameter distribution.
 * Statistics: `[ s0 (K) | weight of observed values (K·d) | Σ r x (K·d) ]`. A missing value (NaN) adds to s0 alone, which
 * is exact: its column's mean is estimated from what was observed.
 * Parameters: one array (K, d), the means. Under a prior a mean is pulled to the overall mean by `meanPseudoEvents`.
 */
export function independentColumns(
  distribution: ScalarDistribution,
  components: number,
  columns: number,
): LevelledFamily {
  const d = columns
  const K = components
  const weightsAt = K
  const sumsAt = K + K * d
  // Of the means asked for last, shape (d, K): parameters are never changed in place.
  const slopes = new Float64Array(K * d)
  const offsets = new Float64Array(K * d)
  let held: Float64Array | undefined
  let scratch = new Float64Array(0)

  const basesOf = ({ values, rows }: Block): Float64Array => {
    if (scratch.length < rows * d) scratch = new Float64Array(rows * d)
    distribution.bases(values, rows * d, scratch)
    return scratch
  }

  const hold = (means: Float64Array): void => {
    if (means === held) return
    for (let k = 0; k < K; k++)
      for (let j = 0; j < d; j++) {
        slopes[j * K + k] = distribution.slope(means[k * d + j]!)
        offsets[j * K + k] = distribution.offset(means[k * d + j]!)
      }
    held = means
  }

  const met = new MetLevels(d)
  let metBases = new Float64Array(0)

  const levels: Levels = {
    most: rows => rows * d,

    encode(block, places, from, to, target) {
      const count = met.encode(block, places, from, to, target)
      if (metBases.length < count) metBases = new Float64Array(met.values.length)
      distribution.bases(met.values, count, metBases)
      return count
    },

    logProbabilities(parameters, table, pitch) {
      hold(parameters[distribution.parameter]!)
      for (let level = 0, to = 0; level < met.count; level++, to += pitch) {
        const base = metBases[level]!
        const x = met.values[level]!
        const from = met.columns[level]! * K
        if (Number.isNaN(base)) table.fill(0, to, to + K)
        else for (let k = 0; k < K; k++) table[to + k] = slopes[from + k]! * x + offsets[from + k]! + base
      }
    },

    addSums(into, sums, pitch) {
      for (let level = 0, from = 0; level < met.count; level++, from += pitch) {
        if (Number.isNaN(metBases[level]!)) continue
        const x = met.values[level]!
        for (let k = 0, at = met.columns[level]!; k < K; k++, at += d) {
          const sum = sums[from + k]!
          into[weightsAt + at]! += sum
          into[sumsAt + at]! += sum * x
        }
      }
    },
  }

  return {
    name: distribution.name,
    levels,
    components: K,
    columns: d,
    statisticsLength: K + 2 * K * d,

    initial(block, weights) {
      const means = new Float64Array(K * d)
      const bases = basesOf(block)
      for (let j = 0; j < d; j++) {
        let weight = 0
        let sum = 0
        for (let n = 0; n < block.rows; n++) {
          const x = block.values[n * d + j]!
          if (Number.isNaN(bases[n * d + j]!)) continue
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
      const { rows, values } = block
      const bases = basesOf(block)
      for (let n = 0, from = 0; n < rows; n++, from += K) {
        for (let k = 0; k < K; k++) into[k]! += responsibilities[from + k]!
        for (let j = 0; j < d; j++) {
          const x = values[n * d + j]!
          if (Number.isNaN(bases[n * d + j]!)) continue
          for (let k = 0, at = j; k < K; k++, at += d) {
            const r = responsibilities[from + k]!
            into[weightsAt + at]! += r
            into[sumsAt + at]! += r * x
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
      hold(parameters[distribution.parameter]!)
      const { rows, values } = block
      const bases = basesOf(block)
      out.fill(0, 0, rows * K)
      for (let n = 0, to = 0; n < rows; n++, to += K) {
        for (let j = 0; j < d; j++) {
          const x = values[n * d + j]!
          const base = bases[n * d + j]!
          if (Number.isNaN(base)) continue
          for (let k = 0, at = j * K; k < K; k++, at++) out[to + k]! += slopes[at]! * x + offsets[at]! + base
        }
        for (let k = 0; k < K; k++) out[to + k] = boundLogDensity(out[to + k]!)
      }
    },

    moments(parameters) {
      const means = parameters[distribution.parameter]!
      return columnwise(d, means, means.map(distribution.variance))
    },
  }
}
