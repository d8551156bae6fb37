/** Most components of a one-dimensional mixture, and EM steps to each. */
const MOST_COMPONENTS = 6
const STEPS = 40
/** Least variance of a component, as a share of the sample's. */
const FLOOR = 1e-4
/** Numbers of components after the best one that are tried before the search ends. */
const PATIENCE = 2

/** Bounds of each value's cell, in the units of the values. */
export interface Cells {
  readonly lower: Float64Array
  readonly upper: Float64Array
}

/**
 * How well one-dimensional gaussian mixtures describe a sample: the largest log-likelihood over k = 1 … 6 components (EM from quantiles) less
 * ½ (3k − 1) log n, nats (BIC, Schwarz 1978), in the units of the values.
 * @param values ascending
 * @param weights shape (n), summing to the number of events
 * @param cells probability of the cells instead of the density at the values
 */
export function mixtureScore(values: Float64Array, weights: Float64Array, cells?: Cells): number {
  const weight = weights.reduce((a, b) => a + b, 0)
  const mean = values.reduce((sum, y, n) => sum + weights[n]! * y, 0) / weight
  const variance = values.reduce((sum, y, n) => sum + weights[n]! * (y - mean) ** 2, 0) / weight
  const scale = variance > 0 && variance < Infinity ? Math.sqrt(variance) : 1
  const standard = (array: Float64Array) => array.map(y => (y - mean) / scale)
  const z = standard(values)
  const bounds = cells && { lower: standard(cells.lower), upper: standard(cells.upper) }
  let best = -Infinity
  for (let k = 1, worse = 0; k <= MOST_COMPONENTS && worse < PATIENCE; k++) {
    const mixture = fitMixture(z, weights, weight, k)
    const likelihood = bounds === undefined ? densityOf(mixture, z, weights) : probabilityOf(mixture, bounds, weights)
    const score =
      likelihood - (bounds === undefined ? weight * Math.log(scale) : 0) - 0.5 * (3 * k - 1) * Math.log(weight)
    if (score > best + 1e-9) {
      best = score
      worse = 0
    } else worse++
  }
  return best
}

interface Mixture {
  readonly shares: Float64Array
  readonly means: Float64Array
  readonly deviations: Float64Array
}

const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI)

function fitMixture(z: Float64Array, weights: Float64Array, weight: number, k: number): Mixture {
  const shares = new Float64Array(k).fill(1 / k)
  const means = Float64Array.from({ length: k }, (_, c) => quantile(z, weights, weight, (c + 0.5) / k))
  const deviations = new Float64Array(k).fill(1 / k)
  const density = new Float64Array(k)
  const sums = [new Float64Array(k), new Float64Array(k), new Float64Array(k)] as const
  const [s0, s1, s2] = sums
  for (let step = 0; step < STEPS; step++) {
    for (const sum of sums) sum.fill(0)
    for (let n = 0; n < z.length; n++) {
      const total = densities({ shares, means, deviations }, z[n]!, density)
      for (let c = 0; c < k; c++) {
        const r = (weights[n]! * density[c]!) / total
        s0[c]! += r
        s1[c]! += r * z[n]!
        s2[c]! += r * z[n]! * z[n]!
      }
    }
    for (let c = 0; c < k; c++) {
      const own = s0[c]! + 1e-9
      shares[c] = own / weight
      means[c] = s1[c]! / own
      deviations[c] = Math.sqrt(Math.max(s2[c]! / own - means[c]! ** 2, 0) + FLOOR)
    }
  }
  return { shares, means, deviations }
}

/** π_c N(z; μ_c, σ_c²) of each component. @param out written to. @returns their sum, > 0 */
function densities({ shares, means, deviations }: Mixture, z: number, out: Float64Array): number {
  let total = 1e-300
  for (let c = 0; c < out.length; c++) {
    const u = (z - means[c]!) / deviations[c]!
    total += out[c] = (shares[c]! / deviations[c]!) * Math.exp(-0.5 * u * u - HALF_LOG_TWO_PI)
  }
  return total
}

function densityOf(mixture: Mixture, z: Float64Array, weights: Float64Array): number {
  const out = new Float64Array(mixture.shares.length)
  return z.reduce((sum, value, n) => sum + weights[n]! * Math.log(densities(mixture, value, out)), 0)
}

function probabilityOf({ shares, means, deviations }: Mixture, { lower, upper }: Cells, weights: Float64Array): number {
  return lower.reduce((sum, from, n) => {
    let probability = 1e-12
    for (let c = 0; c < shares.length; c++) {
      const at = (bound: number) => normalDistribution((bound - means[c]!) / deviations[c]!)
      probability += shares[c]! * (at(upper[n]!) - at(from))
    }
    return sum + weights[n]! * Math.log(probability)
  }, 0)
}

/** Φ(u), by Marsaglia's (2004) series in the middle and 0 or 1 beyond 8; error below 1e-15. */
function normalDistribution(u: number): number {
  if (u < -8) return 0
  if (u > 8) return 1
  let sum = u
  let term = u
  for (let i = 3; Math.abs(term) > 1e-17 * Math.abs(sum); i += 2) {
    term *= (u * u) / i
    sum += term
  }
  return 0.5 + sum * Math.exp(-0.5 * u * u - HALF_LOG_TWO_PI)
}

function quantile(z: Float64Array, weights: Float64Array, weight: number, share: number): number {
  let below = 0
  for (let n = 0; n < z.length; n++) {
    below += weights[n]!
    if (below >= share * weight) return z[n]!
  }
  return z.at(-1) ?? 0
}
