import type { Block } from '../block.ts'
import type { Family, Statistics } from '../family.ts'
import { boundLogDensity } from '../numerics/log-sum-exp.ts'
import { estimateProbabilities } from './probabilities.ts'

export interface CategoricalOptions {
  /** K */
  readonly components: number
  /** C_j, number of categories of each column, ≥ 1 */
  readonly categories: readonly number[]
}

/**
 * Columns of categories 0 … C_j−1, independent given the component.
 * Statistics: `[ s0 (K) | counts (K, C) ]` with C = Σ C_j, the columns' categories one after the other. A missing value
 * adds to s0 alone, which is exact. Anything that is not a category's index counts as missing.
 * Parameters: `probabilities` (K, C), each column's sum to 1. Under a prior they are pulled to the overall shares by
 * `meanPseudoEvents`.
 */
export function categorical(options: CategoricalOptions): Family {
  const { components: K, categories } = options
  const d = categories.length
  const starts = Int32Array.from(categories, (_, j) => categories.slice(0, j).reduce((a, b) => a + b, 0))
  const total = categories.reduce((a, b) => a + b, 0)
  const logs = new Float64Array(K * total)

  const isCategory = (x: number, j: number): boolean => x >= 0 && x < categories[j]! && Number.isInteger(x)

  const counts = (into: Statistics, block: Block, weight: (n: number, k: number) => number): void => {
    for (let n = 0; n < block.rows; n++) {
      for (let k = 0; k < K; k++) into[k]! += weight(n, k)
      for (let j = 0; j < d; j++) {
        const x = block.values[n * d + j]!
        if (!isCategory(x, j)) continue
        for (let k = 0; k < K; k++) into[K + k * total + starts[j]! + x]! += weight(n, k)
      }
    }
  }

  const maximise = (statistics: Statistics, pseudo: number, previous: Float64Array): Float64Array => {
    const probabilities = previous.slice()
    for (let j = 0; j < d; j++)
      estimateProbabilities(statistics.subarray(K), K, total, starts[j]!, categories[j]!, pseudo, probabilities)
    return probabilities
  }

  return {
    name: 'categorical',
    components: K,
    columns: d,
    statisticsLength: K + K * total,

    initial(block, weights) {
      const statistics = new Float64Array(K + K * total)
      counts(statistics, block, n => weights?.[n] ?? 1)
      const uniform = new Float64Array(K * total)
      for (let k = 0; k < K; k++)
        for (let j = 0; j < d; j++) {
          const from = k * total + starts[j]!
          uniform.fill(1 / categories[j]!, from, from + categories[j]!)
        }
      return { probabilities: maximise(statistics, 0, uniform) }
    },

    observe(into, block, responsibilities) {
      counts(into, block, (n, k) => responsibilities[n * K + k]!)
    },

    maximise: (statistics, prior, previous) => ({
      probabilities: maximise(statistics, prior.meanPseudoEvents, previous.probabilities!),
    }),

    logDensity(parameters, block, out) {
      for (let i = 0; i < logs.length; i++) logs[i] = Math.log(parameters.probabilities![i]!)
      for (let n = 0; n < block.rows; n++)
        for (let k = 0; k < K; k++) {
          let value = 0
          for (let j = 0; j < d; j++) {
            const x = block.values[n * d + j]!
            if (isCategory(x, j)) value += logs[k * total + starts[j]! + x]!
          }
          out[n * K + k] = boundLogDensity(value)
        }
    },
  }
}
