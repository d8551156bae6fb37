import type { Kernel } from '../kernel/kernel.ts'
import { createMixture } from '../model/create-mixture.ts'
import type { Model } from '../model/model.ts'
import { columnsByFeature, modelColumns } from '../model/model-columns.ts'
import { applyTransform } from '../model/transform.ts'
import { indexOfLargest } from '../numerics/index-of-largest.ts'
import { permutation, type Random } from '../numerics/random.ts'

/** Why an event belongs to its component. Logs are natural: nats. */
export interface Explanation {
  /** the one with the largest posterior */
  readonly component: number
  /** shape (K) */
  readonly posterior: Float64Array
  /** of the posterior, nats: 0 where it is certain, log K where nothing is known */
  readonly entropy: number
  /** the one with the second largest posterior; null for a model of one component */
  readonly runnerUp: number | null
  /** log posterior odds of component against runner-up = `prior` + Σ `contributions`; null for a model of one component */
  readonly logOdds: number | null
  /** log of the ratio of their weights */
  readonly prior: number
  /** shape (d): what each feature adds to the odds; 0 where it is missing */
  readonly contributions: Float64Array
}

/** Up to this many features all orders are averaged exactly (2^8 marginals an event); above, `sampledOrders` pairs of orders. */
const exactFeatures = 8
const sampledOrders = 16

/**
 * Explains events one by one. A feature's contribution is its Shapley value (Shapley 1953; Lundberg & Lee 2017) of
 * v(S) = log p(x_S | a) − log p(x_S | b), the log likelihood ratio of component a against runner-up b by the features S alone, the others
 * being integrated out: what it adds to the ratio, averaged over all orders in which features can be told. The values add up to the
 * whole ratio; of features that say the same thing each gets its part.
 * @param random only used for more than 8 observed features
 * @returns of an event of shape (d), user's units, NaN where missing
 */
export function explainer(
  model: Pick<Model, 'specification' | 'parameters'>,
  random: Random,
  kernel?: Kernel,
): (values: Float64Array) => Explanation {
  const { specification, parameters } = model
  const { features, components: K } = specification
  const d = features.length
  const { inner } = createMixture(specification, kernel)
  const { count } = modelColumns(specification)
  const told = columnsByFeature(specification)
  const logWeights = parameters.weights!.map(Math.log)

  return values => {
    const { block } = applyTransform(specification, parameters, { rows: 1, columns: d, values })
    const likelihoods = new Float64Array(K)
    inner.logDensity(parameters, block, likelihoods)
    const logs = likelihoods.map((value, k) => value + logWeights[k]!)
    const a = indexOfLargest(logs)
    const b = K === 1 ? a : indexOfLargest(logs.with(a, -Infinity))
    const posterior = softmax(logs)
    const observed = told.flatMap((own, j) => (own.every(c => Number.isNaN(block.values[c]!)) ? [] : [j]))
    const contributions = new Float64Array(d)
    if (K > 1) {
      const ratios = (subsets: readonly Iterable<number>[]) => ratiosOf(block.values, subsets, a, b)
      if (observed.length <= exactFeatures) exactShapley(observed, ratios, contributions)
      else sampledShapley(observed, ratios, random, contributions)
    }
    return {
      component: a,
      posterior,
      entropy: posterior.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0),
      runnerUp: K === 1 ? null : b,
      logOdds: K === 1 ? null : logs[a]! - logs[b]!,
      prior: logWeights[a]! - logWeights[b]!,
      contributions,
    }
  }

  /** v(S) of each subset S of the features. */
  function ratiosOf(event: Float64Array, subsets: readonly Iterable<number>[], a: number, b: number): Float64Array {
    const values = new Float64Array(subsets.length * count).fill(Number.NaN)
    subsets.forEach((subset, i) => {
      for (const j of subset) for (const c of told[j]!) values[i * count + c] = event[c]!
    })
    const out = new Float64Array(subsets.length * K)
    inner.logDensity(parameters, { rows: subsets.length, columns: count, values }, out)
    return Float64Array.from(subsets, (_, i) => out[i * K + a]! - out[i * K + b]!)
  }
}

type Ratios = (subsets: readonly Iterable<number>[]) => Float64Array

/** φ_j = Σ_S |S|! (m − |S| − 1)! / m! · (v(S ∪ j) − v(S)). Adds to `contributions`. */
function exactShapley(observed: readonly number[], ratios: Ratios, contributions: Float64Array): void {
  const m = observed.length
  const subsets = Array.from({ length: 2 ** m }, (_, mask) => observed.filter((_, i) => mask & (1 << i)))
  const v = ratios(subsets)
  const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1))
  for (const [i, j] of observed.entries()) {
    subsets.forEach((subset, mask) => {
      if (mask & (1 << i)) return
      const share = (factorial(subset.length) * factorial(m - subset.length - 1)) / factorial(m)
      contributions[j]! += share * (v[mask | (1 << i)]! - v[mask]!)
    })
  }
}

/** The mean over random orders and their reverses; each order's steps add up to the whole. Adds to `contributions`. */
function sampledShapley(
  observed: readonly number[],
  ratios: Ratios,
  random: Random,
  contributions: Float64Array,
): void {
  for (let sample = 0; sample < sampledOrders; sample++) {
    const order = Array.from(permutation(observed.length, random), i => observed[i]!)
    for (const features of [order, order.toReversed()]) {
      const v = ratios(Array.from({ length: features.length + 1 }, (_, count) => features.slice(0, count)))
      features.forEach((j, i) => {
        contributions[j]! += (v[i + 1]! - v[i]!) / (2 * sampledOrders)
      })
    }
  }
}

function softmax(logs: Float64Array): Float64Array {
  const top = Math.max(...logs)
  const terms = logs.map(value => Math.exp(value - top))
  const total = terms.reduce((a, b) => a + b)
  return terms.map(term => term / total)
}
