import { columnMeans, squaredDistance } from '../em/nearest-centre.ts'
import type { Block } from '../families/block.ts'
import { choose, type Random } from '../numerics/random.ts'

/**
 * Starting centres by greedy k-means++ (Arthur & Vassilvitskii 2007): each next centre is the best of 2 + ⌊log K⌋ rows drawn
 * with probability proportional to weight × squared distance to the nearest centre so far. Missing values do not count in a
 * distance, which is scaled up to all columns; a centre's missing values are the column's mean.
 * @param block shape (rows ≥ 1, d), columns of comparable scale
 * @returns shape (K, d); with fewer than K distinct rows some centres are equal
 */
export function kMeansPlusPlus(
  block: Block,
  weights: Float64Array | undefined,
  components: number,
  random: Random,
): Float64Array {
  const { rows, columns: d } = block
  const centres = new Float64Array(components * d)
  const means = columnMeans(block, weights)
  const place = (k: number, row: number): void => {
    for (let j = 0; j < d; j++) {
      const x = block.values[row * d + j]!
      centres[k * d + j] = Number.isNaN(x) ? means[j]! : x
    }
  }
  const weight = (n: number): number => weights?.[n] ?? 1
  const nearest = new Float64Array(rows)
  const odds = Float64Array.from(nearest, (_, n) => weight(n))
  place(0, choose(odds, random))
  for (let n = 0; n < rows; n++) nearest[n] = squaredDistance(block, n, centres, 0)
  const trials = 2 + Math.floor(Math.log(components))
  const candidate = new Float64Array(rows)
  const best = new Float64Array(rows)
  for (let k = 1; k < components; k++) {
    for (let n = 0; n < rows; n++) odds[n] = weight(n) * nearest[n]!
    let bestPotential = Infinity
    let bestRow = 0
    for (let trial = 0; trial < trials; trial++) {
      const row = choose(odds, random)
      place(k, row)
      let potential = 0
      for (let n = 0; n < rows; n++) {
        candidate[n] = Math.min(nearest[n]!, squaredDistance(block, n, centres, k))
        potential += weight(n) * candidate[n]!
      }
      if (potential < bestPotential || trial === 0) {
        bestPotential = potential
        bestRow = row
        best.set(candidate)
      }
    }
    place(k, bestRow)
    nearest.set(best)
  }
  return centres
}
