import { boundLogDensity } from '../../numerics/log-sum-exp.ts'
import type { Block } from '../block.ts'
import type { Statistics } from '../family.ts'
import type { LevelledFamily, Levels } from './levels.ts'
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
export function categorical(options: CategoricalOptions): LevelledFamily {
  const { components: K, categories } = options
  const d = categories.length
  const starts = Int32Array.from(categories, (_, j) => categories.slice(0, j).reduce((a, b) => a + b, 0))
  const total = categories.reduce((a, b) => a + b, 0)
  const sizes = Int32Array.from(categories)
  const logs = logTable(K, total)

  /** Place of a value among all categories, −1 where it is none of its column's. */
  const placeOf = (x: number, j: number): number => {
    const index = x | 0
    return index === x && index >= 0 && index < sizes[j]! ? starts[j]! + index : -1
  }

  const counts = (into: Statistics, block: Block, weights: Float64Array): void => {
    const { rows, values } = block
    for (let n = 0, w = 0; n < rows; n++, w += K) {
      for (let k = 0; k < K; k++) into[k]! += weights[w + k]!
      for (let j = 0; j < d; j++) {
        const place = placeOf(values[n * d + j]!, j)
        if (place < 0) continue
        for (let k = 0, at = K + place; k < K; k++, at += total) into[at]! += weights[w + k]!
      }
    }
  }

  const maximise = (statistics: Statistics, pseudo: number, previous: Float64Array): Float64Array => {
    const probabilities = previous.slice()
    for (let j = 0; j < d; j++)
      estimateProbabilities(statistics.subarray(K), K, total, starts[j]!, categories[j]!, pseudo, probabilities)
    return probabilities
  }

  /** A category is a level, wherever it occurs. */
  const levels: Levels = {
    most: () => total,

    encode(block, places, from, to, { codes, stride, offset, first, size }) {
      for (let j = 0; j < d; j++) {
        const count = sizes[j]!
        const start = first + starts[j]!
        let at = from * block.columns + places[j]!
        for (let n = from, out = offset + j; n < to; n++, out += stride, at += block.columns) {
          const x = block.values[at]!
          const index = x | 0
          codes[out] = index === x && index >= 0 && index < count ? (start + index) * size : 0
        }
      }
      return total
    },

    logProbabilities(parameters, table, pitch) {
      const from = logs(parameters.probabilities!)
      for (let c = 0; c < total; c++) for (let k = 0; k < K; k++) table[c * pitch + k] = from[c * K + k]!
    },

    addSums(into, sums, pitch) {
      for (let k = 0, at = K; k < K; k++) for (let c = 0; c < total; c++) into[at++]! += sums[c * pitch + k]!
    },
  }

  return {
    name: 'categorical',
    levels,
    components: K,
    columns: d,
    statisticsLength: K + K * total,

    initial(block, weights) {
      const statistics = new Float64Array(K + K * total)
      const every = Float64Array.from({ length: K * block.rows }, (_, i) => weights?.[Math.floor(i / K)] ?? 1)
      counts(statistics, block, every)
      const uniform = new Float64Array(K * total)
      for (let k = 0; k < K; k++)
        for (let j = 0; j < d; j++) {
          const from = k * total + starts[j]!
          uniform.fill(1 / categories[j]!, from, from + categories[j]!)
        }
      return { probabilities: maximise(statistics, 0, uniform) }
    },

    observe(into, block, responsibilities) {
      counts(into, block, responsibilities)
    },

    maximise: (statistics, prior, previous) => ({
      probabilities: maximise(statistics, prior.meanPseudoEvents, previous.probabilities!),
    }),

    logDensity(parameters, block, out) {
      const table = logs(parameters.probabilities!)
      const { rows, values } = block
      out.fill(0, 0, rows * K)
      for (let n = 0, to = 0; n < rows; n++, to += K) {
        for (let j = 0; j < d; j++) {
          const place = placeOf(values[n * d + j]!, j)
          if (place < 0) continue
          for (let k = 0, at = place * K; k < K; k++, at++) out[to + k]! += table[at]!
        }
        for (let k = 0; k < K; k++) out[to + k] = boundLogDensity(out[to + k]!)
      }
    },

    moments: ({ probabilities }) => ({
      columns: Int32Array.from(categories.flatMap((size, j) => new Array<number>(size).fill(j))),
      means: probabilities!,
      variances: probabilities!.map(p => p * (1 - p)),
    }),
  }
}

/** Logarithms of probabilities (K, C) as a table (C, K), kept for as long as the same array is asked for. */
function logTable(components: number, total: number): (probabilities: Float64Array) => Float64Array {
  const table = new Float64Array(components * total)
  let held: Float64Array | undefined
  return probabilities => {
    if (probabilities !== held)
      for (let k = 0; k < components; k++)
        for (let c = 0; c < total; c++) table[c * components + k] = Math.log(probabilities[k * total + c]!)
    held = probabilities
    return table
  }
}
