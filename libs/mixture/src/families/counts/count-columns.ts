import { boundLogDensity } from '../../numerics/log-sum-exp.ts'
import type { Block } from '../block.ts'
import type { LevelledFamily, Levels } from '../discrete/levels.ts'
import { MetLevels } from '../discrete/met-levels.ts'
import { columnwise, copyComponents, type Family, type Parameters, type Statistics } from '../family.ts'
import type { Prior } from '../prior.ts'

/** A component with less than this share of a column's weight keeps its parameters there. */
const OCCUPANCY_FLOOR = 1e-10

/** Counts beyond this are not counts of anything; they would also lose their last digits. */
const LARGEST_COUNT = 2 ** 53

/** Passes over the sample in which the components that are all alike are estimated. */
const INITIAL_PASSES = 8

/** Parameters of one column in all components, as they are estimated and used: one number an array, all of shape (K·d). */
export type CountParameters = readonly Float64Array[]

/** All components together, of one column: what a prior pulls to. */
export interface OverallCounts {
  /** Σ r x / Σ r e */
  readonly mean: number
  /** Σ r e / Σ r */
  readonly exposure: number
}

/**
 * Distribution of one count x under an exposure e (time watched, visits that could have bought; 1 where none is told), with several
 * parameters. The first is the mean of x for an exposure of 1.
 */
export interface CountDistribution {
  readonly name: string
  /** names of the arrays of parameters, each of shape (K, d) */
  readonly arrays: readonly string[]
  /** statistics of one column of one component. The first three are Σ r, Σ r x, Σ r e. */
  readonly statistics: number
  /** Parameters from which the estimate for a whole sample begins, of the sample's mean. */
  start(mean: number): readonly number[]
  /** Mean and variance for an exposure of 1. */
  moments(parameters: readonly number[]): { readonly mean: number; readonly variance: number }
  /** log p(x | parameters at `at`, e), nats. */
  logProbability(parameters: CountParameters, at: number, x: number, e: number): number
  /** Tells the value that `add` is called for. */
  value(x: number, e: number): void
  /** Adds the value with weight r to the statistics of one column of one component. @param into written to, from `to` on */
  add(into: Statistics, to: number, r: number, parameters: CountParameters, at: number): void
  /**
   * M-step of one column of one component.
   * @param from where its statistics begin
   * @param parameters written to, at `at`: they hold the previous ones
   */
  maximise(
    statistics: Statistics,
    from: number,
    prior: Prior,
    overall: OverallCounts,
    parameters: CountParameters,
    at: number,
  ): void
}

export interface CountOptions {
  /** K */
  readonly components: number
  /** d, the number of counts */
  readonly columns: number
  /**
   * counts of the d that were made under an exposure, in the order of the columns of exposures (> 0), which stand behind the d columns of a block. A
   * count without its exposure says nothing: it is missing.
   */
  readonly exposed?: readonly number[]
}

/**
 * Columns of counts, independent given the component, each with the same distribution, some of them under an exposure: what is expected is
 * the component's mean times the event's exposure.
 * Statistics: `[ s0 (K) | those of the distribution (K, d, statistics) ]`. A missing value (NaN, no count, or none of its exposure) adds to s0 alone, which is exact.
 * Parameters: the distribution's arrays, (K, d) each.
 */
export function countColumns(distribution: CountDistribution, options: CountOptions): Family | LevelledFamily {
  const { components: K, columns: d, exposed = [] } = options
  const width = d + exposed.length
  const exposures = Array.from({ length: d }, (_, j) => (exposed.includes(j) ? d + exposed.indexOf(j) : -1))
  const exposureOf = ({ values }: Block, row: number, j: number) =>
    exposures[j]! < 0 ? 1 : values[row + exposures[j]!]!
  const { arrays, statistics: size } = distribution
  const length = K + K * d * size
  const listed = (parameters: Parameters): CountParameters => arrays.map(name => parameters[name]!)

  const accumulate = (
    into: Statistics,
    x: number,
    e: number,
    j: number,
    r: Float64Array,
    from: number,
    own: CountParameters,
  ) => {
    distribution.value(x, e)
    for (let k = 0; k < K; k++) {
      const weight = r[from + k]!
      if (weight !== 0) distribution.add(into, K + (k * d + j) * size, weight, own, k * d + j)
    }
  }

  const family: Family = {
    name: distribution.name,
    components: K,
    columns: width,
    statisticsLength: length,

    initial: (block, weights) => initialCounts(distribution, K, d, block, weights, exposureOf),

    observe(into, block, responsibilities, parameters) {
      const own = listed(parameters)
      for (let n = 0, from = 0; n < block.rows; n++, from += K) {
        for (let k = 0; k < K; k++) into[k]! += responsibilities[from + k]!
        for (let j = 0; j < d; j++) {
          const x = block.values[n * width + j]!
          const e = exposureOf(block, n * width, j)
          if (isCount(x) && isExposure(e)) accumulate(into, x, e, j, responsibilities, from, own)
        }
      }
    },

    maximise(statistics, prior, previous, only = { from: 0, to: K }, into) {
      const own = arrays.map(name => {
        const array = into?.[name] ?? previous[name]!.slice()
        if (into !== undefined) copyComponents(array, previous[name]!, K, only)
        return array
      })
      for (let j = 0; j < d; j++) {
        const { weight, ...overall } = overallCounts(statistics, K, d, size, j)
        if (!(weight > 0 && Number.isFinite(overall.mean))) continue
        for (let k = only.from; k < only.to; k++) {
          const at = k * d + j
          const from = K + at * size
          if (!(statistics[from]! > OCCUPANCY_FLOOR * weight)) continue
          distribution.maximise(statistics, from, prior, overall, own, at)
        }
      }
      return Object.fromEntries(arrays.map((name, i) => [name, own[i]!]))
    },

    logDensity(parameters, block, out) {
      const own = listed(parameters)
      out.fill(0, 0, block.rows * K)
      for (let n = 0, to = 0; n < block.rows; n++, to += K) {
        for (let j = 0; j < d; j++) {
          const x = block.values[n * width + j]!
          const e = exposureOf(block, n * width, j)
          if (isCount(x) && isExposure(e))
            for (let k = 0; k < K; k++) out[to + k]! += distribution.logProbability(own, k * d + j, x, e)
        }
        for (let k = 0; k < K; k++) out[to + k] = boundLogDensity(out[to + k]!)
      }
    },

    moments(parameters) {
      const own = listed(parameters)
      const means = new Float64Array(K * d)
      const variances = new Float64Array(K * d)
      for (let at = 0; at < K * d; at++) {
        const { mean, variance } = distribution.moments(own.map(array => array[at]!))
        means[at] = mean
        variances[at] = variance
      }
      return columnwise(d, means, variances)
    },
  }
  // A level is one number; what is expected under an exposure is not.
  return exposed.length > 0 ? family : { ...family, levels: countLevels() }

  function countLevels(): Levels {
    const met = new MetLevels(d)
    let own: CountParameters = []
    return {
      most: rows => rows * d,
      encode: (block, places, from, to, target) => met.encode(block, places, from, to, target),
      logProbabilities(parameters, table, pitch) {
        own = listed(parameters)
        for (let level = 0, to = 0; level < met.count; level++, to += pitch) {
          const x = met.values[level]!
          const j = met.columns[level]!
          for (let k = 0; k < K; k++) table[to + k] = isCount(x) ? distribution.logProbability(own, k * d + j, x, 1) : 0
        }
      },
      addSums(into, sums, pitch) {
        for (let level = 0, from = 0; level < met.count; level++, from += pitch)
          if (isCount(met.values[level]!)) accumulate(into, met.values[level]!, 1, met.columns[level]!, sums, from, own)
      },
    }
  }
}

const isCount = (x: number): boolean => x >= 0 && x <= LARGEST_COUNT
const isExposure = (e: number): boolean => e > 0 && e < Infinity

/** Of one column: the weight of all components together, their mean count, and the mean exposure. */
function overallCounts(statistics: Statistics, K: number, d: number, size: number, j: number) {
  let [weight, sum, exposure] = [0, 0, 0]
  for (let k = 0; k < K; k++) {
    const from = K + (k * d + j) * size
    weight += statistics[from]!
    sum += statistics[from + 1]!
    exposure += statistics[from + 2]!
  }
  return { weight, mean: sum / exposure, exposure: exposure / weight }
}

/** K equal components estimated by a few passes of EM for one. */
function initialCounts(
  distribution: CountDistribution,
  K: number,
  d: number,
  block: Block,
  weights: Float64Array | undefined,
  exposureOf: (block: Block, row: number, j: number) => number,
): Parameters {
  const { arrays, statistics: size } = distribution
  const prior: Prior = { weightPseudoEvents: 0, meanPseudoEvents: 0, covariancePseudoEvents: 0, varianceFloor: 0 }
  const one = Array.from({ length: d }, (_, j) => {
    const own = arrays.map(() => new Float64Array(1))
    const set = (mean: number) => {
      for (const [i, value] of distribution.start(mean).entries()) own[i]![0] = value
    }
    set(0.5)
    for (let pass = 0; pass < INITIAL_PASSES; pass++) {
      const statistics = new Float64Array(1 + size)
      for (let n = 0; n < block.rows; n++) {
        const x = block.values[n * block.columns + j]!
        const e = exposureOf(block, n * block.columns, j)
        const r = weights?.[n] ?? 1
        if (!isCount(x) || !isExposure(e) || r === 0) continue
        distribution.value(x, e)
        distribution.add(statistics, 1, r, own, 0)
      }
      const { weight, ...overall } = overallCounts(statistics, 1, 1, size, 0)
      if (!(weight > 0 && Number.isFinite(overall.mean))) break
      if (pass === 0) set(overall.mean)
      else distribution.maximise(statistics, 1, prior, overall, own, 0)
    }
    return own.map(array => array[0]!)
  })
  return Object.fromEntries(
    arrays.map((name, i) => [name, Float64Array.from({ length: K * d }, (_, at) => one[at % d]![i]!)]),
  )
}
