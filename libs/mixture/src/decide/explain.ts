import type { Block } from '../families/block.ts'
import { createMixture } from '../model/create-mixture.ts'
import type { Model } from '../model/model.ts'
import { columnsByFeature, modelColumns } from '../model/model-columns.ts'
import { applyTransform } from '../model/transform.ts'
import { permutation, type Random } from '../numerics/random.ts'

/** Why an event belongs to its segment. */
export interface Explanation {
  /** shape (K): p(k | x) */
  readonly posterior: Float64Array
  /** −Σ p log p of the posterior, nats: 0 where there is no doubt, log K where there is nothing but */
  readonly entropy: number
  /** log p(x), nats, user's units */
  readonly logDensity: number
  /** the most probable component */
  readonly component: number
  /** the second; −1 with one component only */
  readonly runnerUp: number
  /** log π_component − log π_runnerUp, nats */
  readonly weightContribution: number
  /**
   * shape (d): how much each feature speaks for `component` against `runnerUp`, nats; 0 where it is missing. With
   * `weightContribution` they add up to the log posterior odds of the two.
   */
  readonly contributions: Float64Array
}

/** Orders in which features are revealed, and as many reversed ones. */
const ORDERS = 4

/**
 * Explains events. A feature's contribution is by how much the log density ratio of the two components changes when it becomes known, averaged
 * over random orders and their reverses (Shapley values by antithetic sampling, Mitchell et al. 2022), the densities of what is not yet known
 * being the marginal ones. Where features are independent given the component every order gives the same.
 * @param block shape (rows, d), user's units
 */
export function explain(
  model: Pick<Model, 'specification' | 'parameters'>,
  block: Block,
  random: Random,
): Explanation[] {
  const { specification, parameters } = model
  const { components: K } = specification
  const mixture = createMixture(specification)
  const { block: transformed, logJacobian } = applyTransform(specification, parameters, block)
  const posteriors = new Float64Array(block.rows * K)
  const logDensities = new Float64Array(block.rows)
  mixture.score(parameters, transformed, posteriors, logDensities)
  const { columns: d } = block
  const { count } = modelColumns(specification)
  const told = columnsByFeature(specification)
  const orders = revealingOrders(d, random)
  const revealed: Block = {
    rows: orders.length * d,
    columns: count,
    values: new Float64Array(orders.length * d * count),
  }
  const logs = new Float64Array(revealed.rows * K)

  return Array.from({ length: block.rows }, (_, n) => {
    const posterior = posteriors.slice(n * K, (n + 1) * K)
    const [component, runnerUp] = topTwo(posterior)
    const contributions = new Float64Array(d)
    if (runnerUp >= 0) {
      const row = transformed.values.subarray(n * count, (n + 1) * count)
      reveal(row, orders, told, revealed)
      mixture.inner.logDensity(parameters, revealed, logs)
      orders.forEach((order, o) => {
        let before = 0
        order.forEach((j, step) => {
          const at = (o * d + step) * K
          const after = logs[at + component]! - logs[at + runnerUp]!
          contributions[j]! += (after - before) / orders.length
          before = after
        })
      })
    }
    const weights = parameters.weights!
    return {
      posterior,
      entropy: posterior.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0),
      logDensity: logDensities[n]! + logJacobian[n]!,
      component,
      runnerUp,
      weightContribution: runnerUp < 0 ? 0 : Math.log(weights[component]!) - Math.log(weights[runnerUp]!),
      contributions,
    }
  })
}

function revealingOrders(d: number, random: Random): Int32Array[] {
  if (d === 1) return [Int32Array.of(0)]
  if (d === 2) return [Int32Array.of(0, 1), Int32Array.of(1, 0)]
  return Array.from({ length: ORDERS }, () => permutation(d, random)).flatMap(order => [order, order.slice().reverse()])
}

/** Row o·d + s of `into` holds the columns of `row` that tell the first s + 1 features of order o, NaN elsewhere. */
function reveal(
  row: Float64Array,
  orders: readonly Int32Array[],
  told: readonly (readonly number[])[],
  into: Block,
): void {
  const d = told.length
  into.values.fill(Number.NaN)
  orders.forEach((order, o) => {
    for (let step = 0; step < d; step++)
      for (let s = 0; s <= step; s++)
        for (const column of told[order[s]!]!) into.values[(o * d + step) * row.length + column] = row[column]!
  })
}

function topTwo(posterior: Float64Array): [number, number] {
  let first = 0
  for (let k = 1; k < posterior.length; k++) if (posterior[k]! > posterior[first]!) first = k
  let second = -1
  for (let k = 0; k < posterior.length; k++)
    if (k !== first && (second < 0 || posterior[k]! > posterior[second]!)) second = k
  return [first, second]
}
