import type { Block } from './block.ts'
import type { Prior } from './prior.ts'

/**
 * Sufficient statistics: one flat vector, so that they form a vector space. `merge` is element-wise addition, `scale`
 * element-wise multiplication, the empty statistics are zeros, and the bytes of the array are its wire format.
 * The layout belongs to the family and is documented there.
 */
export type Statistics = Float64Array

/** Parameters: named arrays, their shapes documented by the family. Self-describing, so that any family can be stored. */
export type Parameters = Readonly<Record<string, Float64Array>>

/** Mean and variance of every column in every component, in model space. */
export interface Moments {
  /** shape (D): which column of a block each belongs to; a category has one column of 0 and 1 for each of its values */
  readonly columns: Int32Array
  /** shape (K, D) */
  readonly means: Float64Array
  /** shape (K, D) */
  readonly variances: Float64Array
}

/** Components [from, to). */
export interface ComponentRange {
  readonly from: number
  readonly to: number
}

/**
 * K component densities of one form over the same columns (a component's density is p(x | θ_k), k = 0 … K−1).
 * All components are handled together because they share work (a packed event) and sometimes parameters (tied covariance).
 * A mixture is itself a Family with K = 1, whose `observe` is the E-step; a product of families over blocks of columns too.
 *
 * Batch EM, stepwise EM, forgetting and merging of shards then differ only in weights:
 * S ← (1−γ) S + γ s̄ is `merge(scale(S, 1−γ), scale(s̄, γ))`.
 */
export interface Family {
  /** The family's name in the field, e.g. `gaussian`. */
  readonly name: string
  /** K, the number of components. */
  readonly components: number
  /** d, the number of columns read from a block. */
  readonly columns: number
  /** Length of the flat statistics. Those of components begin with s0 (K) = Σ responsibilities. */
  readonly statisticsLength: number

  /**
   * K equal components fitted to the whole sample: what the first M-step falls back to, and what fixes once and for all
   * whatever the statistics are taken about (a reference point).
   * @param weights shape (rows), event weights; 1 each if absent
   */
  initial(block: Block, weights?: Float64Array): Parameters

  /**
   * Adds to `into` the expected sufficient statistics of `block` under `parameters`.
   * @param into written to
   * @param responsibilities shape (rows, K), row-major: weight of event n in component k, ≥ 0
   * @param parameters needed where values are missing or latent (conditional moments); otherwise ignored
   */
  observe(into: Statistics, block: Block, responsibilities: Float64Array, parameters: Parameters): void

  /**
   * M-step: the parameters that maximise the expected complete-data (penalised) log-likelihood.
   * Never throws on degenerate statistics and never returns NaN: floors, jitter, and `previous` for starved components.
   * @param previous parameters that a component with too little weight keeps
   * @param only the components whose rows are wanted, where not all are: a family may leave the others as they were
   * @param into arrays like those of `previous`, in other memory, that a family may write to and give back instead of new ones; the
   * rows of other components than `only` are not written to
   */
  maximise(
    statistics: Statistics,
    prior: Prior,
    previous: Parameters,
    only?: ComponentRange,
    into?: Parameters,
  ): Parameters

  /**
   * log p(x_n | θ_k) in nats, of the observed columns of each event (missing ones are integrated out).
   * @param out written to, shape (rows, K), row-major
   */
  logDensity(parameters: Parameters, block: Block, out: Float64Array): void

  /** What the components look like, whatever form the parameters have. */
  moments(parameters: Parameters): Moments

  /**
   * Which components are held at the variance floor in some direction: they have collapsed onto few values.
   * Absent where there is no such floor.
   * @param weights shape (K): π
   * @param varianceFloor relative to the overall variance, as in `Prior`
   */
  floored?(parameters: Parameters, weights: Float64Array, varianceFloor: number): readonly boolean[]
}

/** The moments of families with one column of them for each column of a block. */
export const columnwise = (columns: number, means: Float64Array, variances: Float64Array): Moments => ({
  columns: Int32Array.from({ length: columns }, (_, j) => j),
  means,
  variances,
})

/** Mean and variance of each column over all components (law of total variance): shape (D) each. */
export function overallMoments({ columns, means, variances }: Moments, weights: Float64Array) {
  const D = columns.length
  const mean = new Float64Array(D)
  const variance = new Float64Array(D)
  weights.forEach((weight, k) => {
    for (let j = 0; j < D; j++) mean[j]! += weight * means[k * D + j]!
  })
  weights.forEach((weight, k) => {
    for (let j = 0; j < D; j++) variance[j]! += weight * (variances[k * D + j]! + (means[k * D + j]! - mean[j]!) ** 2)
  })
  return { mean, variance }
}

/** Copies the rows of some of K components. @param into written to, as long as `from` */
export function copyComponents(into: Float64Array, from: Float64Array, components: number, rows: ComponentRange): void {
  const size = from.length / components
  into.set(from.subarray(rows.from * size, rows.to * size), rows.from * size)
}

/** The identity of `merge`. */
export const empty = (family: Family): Statistics => new Float64Array(family.statisticsLength)

/** into ← into + from. Commutative bit for bit. */
export function merge(into: Statistics, from: Statistics): Statistics {
  for (let i = 0; i < into.length; i++) into[i]! += from[i]!
  return into
}

/** into ← factor · into. */
export function scale(into: Statistics, factor: number): Statistics {
  for (let i = 0; i < into.length; i++) into[i]! *= factor
  return into
}

/** into ← (1−γ) into + γ from: the stepwise update (Cappé & Moulines 2009, eq. 8). */
export function blend(into: Statistics, from: Statistics, gamma: number): Statistics {
  const keep = 1 - gamma
  for (let i = 0; i < into.length; i++) into[i] = keep * into[i]! + gamma * from[i]!
  return into
}
