/** A probability is held at or above this, so that what was never seen is unlikely, not impossible. */
const LEAST_PROBABILITY = 1e-12

/** A component with less than this share of all counts keeps its probabilities. */
const OCCUPANCY_FLOOR = 1e-10

/**
 * Shares of each component's counts, pulled to the overall shares by `pseudo` events (a Dirichlet prior's mode), at least
 * `LEAST_PROBABILITY` each. A component without counts keeps what it has.
 * @param counts shape (K, stride); categories [from, from + size) of every row are read
 * @param probabilities written to at the same places: sums to 1 for each component
 */
export function estimateProbabilities(
  counts: Float64Array,
  components: number,
  stride: number,
  from: number,
  size: number,
  pseudo: number,
  probabilities: Float64Array,
): void {
  const overall = new Float64Array(size)
  let weight = 0
  for (let k = 0; k < components; k++)
    for (let c = 0; c < size; c++) {
      overall[c]! += counts[k * stride + from + c]!
      weight += counts[k * stride + from + c]!
    }
  if (!(weight > 0 && weight < Infinity)) return
  for (let k = 0; k < components; k++) {
    const start = k * stride + from
    let own = 0
    for (let c = 0; c < size; c++) own += counts[start + c]!
    if (!(own > OCCUPANCY_FLOOR * weight)) continue
    let sum = 0
    for (let c = 0; c < size; c++) {
      const share = (counts[start + c]! + (pseudo * overall[c]!) / weight) / (own + pseudo)
      const held = Math.max(share, LEAST_PROBABILITY)
      probabilities[start + c] = held
      sum += held
    }
    for (let c = 0; c < size; c++) probabilities[start + c]! /= sum
  }
}
