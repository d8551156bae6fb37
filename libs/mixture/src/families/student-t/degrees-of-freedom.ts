import { digamma } from '../../numerics/special.ts'
import type { Statistics } from '../family.ts'

/** Below, the t has no mean; above, it cannot be told from a normal distribution. */
const LEAST_DEGREES = 1
const MOST_DEGREES = 1e4

/**
 * ν of each component (Peel & McLachlan 2000, eq. 30, in the parameter-expanded form): the root of
 * log(ν/2) − ψ(ν/2) + 1 + Σ r E[log u]/Σr − log α − Σ r E[u]/(α Σr) with α the expanded scale. The left side falls from ∞ to a
 * number ≤ 0, so that the root is unique; it is held in [1, 10^4].
 * @param statistics a `studentT` family's; the first 3K numbers are read
 * @param common whether the components share one scale matrix, and with it α
 * @param degrees written to, shape (K); a component without weight keeps what it has
 */
export function estimateDegreesOfFreedom(
  statistics: Statistics,
  components: number,
  common: boolean,
  degrees: Float64Array,
): void {
  const K = components
  let weight = 0
  let scaled = 0
  for (let k = 0; k < K; k++) {
    weight += statistics[k]!
    scaled += statistics[2 * K + k]!
  }
  for (let k = 0; k < K; k++) {
    const own = statistics[k]!
    if (!(own > 1e-10 * weight)) continue
    const scale = common ? scaled / weight : statistics[2 * K + k]! / own
    const constant = 1 + statistics[K + k]! / own - Math.log(scale) - statistics[2 * K + k]! / (own * scale)
    if (Number.isFinite(constant)) degrees[k] = root(constant)
  }
}

/** Root of log(ν/2) − ψ(ν/2) + constant by bisection in log ν. */
function root(constant: number): number {
  const value = (nu: number) => Math.log(nu / 2) - digamma(nu / 2) + constant
  let low = Math.log(LEAST_DEGREES)
  let high = Math.log(MOST_DEGREES)
  if (value(LEAST_DEGREES) <= 0) return LEAST_DEGREES
  if (value(MOST_DEGREES) >= 0) return MOST_DEGREES
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (value(Math.exp(middle)) > 0) low = middle
    else high = middle
  }
  return Math.exp((low + high) / 2)
}
