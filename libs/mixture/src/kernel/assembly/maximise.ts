// The M-step of full, diagonal and spherical components; gaussian/maximise.ts is its specification, and does those that have no
// finite statistics, or a singular matrix and no floor.
import { factorise, formCovariance, isAbove } from './cholesky'
import { log } from './elementary'
import {
  DIAGONAL,
  FULL,
  columns,
  components,
  covariance,
  covariances,
  estimatedMeans,
  factors,
  logDeterminants,
  overallMean,
  overallVariance,
  reference,
  settled,
  statistics,
  triangle,
} from './memory'
import { raiseEigenvalues } from './regularise'

/** As in gaussian/maximise.ts and gaussian/regularise.ts. */
const OCCUPANCY_FLOOR: f64 = 1e-10
const SMALLEST_SHARE: f64 = 4 * 2.220446049250313e-16

/**
 * Means, covariances, L⁻¹ and log |L⁻¹| from the statistics that the host wrote, and 1 to `settled` for each component that is
 * done; the host sees to the others, with 0 there.
 * @param kappa κ0, pseudo-events of the mean
 * @param nu ν0, pseudo-events of the covariance
 * @param floor least eigenvalue as a share of the overall variance, 0 for none
 * @param first the first component to estimate
 * @param end behind the last one
 * @returns the number of components that are done
 */
export function maximise(kappa: f64, nu: f64, floor: f64, first: i32, end: i32): i32 {
  memory.fill(settled, 0, <usize>components << 3)
  const weight = overallMoments()
  if (!(weight > 0 && weight < Infinity)) return 0
  let done = 0
  for (let k = first; k < end; k++) {
    // Sums that are not finite lead to a matrix that cannot be factored, or to a logarithm that is not finite.
    if (!(load<f64>(statistics + (<usize>k << 3)) > OCCUPANCY_FLOOR * weight)) continue
    estimateMean(k, kappa)
    const isDone = covariance == FULL ? estimateMatrix(k, kappa, nu, floor) : estimateVariances(k, kappa, nu, floor)
    store<f64>(settled + (<usize>k << 3), isDone ? 1 : 0)
    done += i32(isDone)
  }
  return done
}

/** Bytes from a component's s1 to the next one's, and of s1 as a whole. */
// @ts-ignore: decorator
@inline
function meanBytes(): usize {
  return <usize>columns << 3
}

// @ts-ignore: decorator
@inline
function firstMoments(k: i32): usize {
  return statistics + (<usize>(components + k * columns) << 3)
}

/** Where component k's S2 begins. */
// @ts-ignore: decorator
@inline
function secondMoments(k: i32): usize {
  return firstMoments(components) + (<usize>(k * (covariance == FULL ? triangle : columns)) << 3)
}

/** Bytes from the first diagonal element of S2 to the second; each further step is `diagonalGrowth` longer. */
// @ts-ignore: decorator
@inline
function diagonalStep(): usize {
  return covariance == FULL ? 16 : 8
}

// @ts-ignore: decorator
@inline
function diagonalGrowth(): usize {
  return covariance == FULL ? 8 : 0
}

/** Mean (about the reference) and variance of all components together. @returns Σ s0 */
function overallMoments(): f64 {
  const bytes = meanBytes()
  memory.fill(overallMean, 0, bytes)
  memory.fill(overallVariance, 0, bytes)
  let weight = 0.0
  for (let k = 0; k < components; k++) {
    weight += load<f64>(statistics + (<usize>k << 3))
    let first = firstMoments(k)
    let second = secondMoments(k)
    let step = diagonalStep()
    for (let j: usize = 0; j < bytes; j += 8, first += 8, second += step, step += diagonalGrowth()) {
      store<f64>(overallMean + j, load<f64>(overallMean + j) + load<f64>(first))
      store<f64>(overallVariance + j, load<f64>(overallVariance + j) + load<f64>(second))
    }
  }
  for (let j: usize = 0; j < bytes; j += 8) {
    const mean = load<f64>(overallMean + j) / weight
    const variance = load<f64>(overallVariance + j) / weight - mean * mean
    const c = load<f64>(reference + j)
    // What rounding of x − c leaves of a constant feature is not a variance.
    const noise = 1e-24 * (c == 0 ? 1 : c * c)
    store<f64>(overallMean + j, mean)
    store<f64>(overallVariance + j, variance > noise && variance < Infinity ? variance : 1)
  }
  return weight
}

/** μ_k = c + (s1 + κ0 m0) / (s0 + κ0) */
function estimateMean(k: i32, kappa: f64): void {
  const first = firstMoments(k)
  const divisor = load<f64>(statistics + (<usize>k << 3)) + kappa
  const out = estimatedMeans + <usize>k * meanBytes()
  for (let j: usize = 0; j < meanBytes(); j += 8) {
    const sum = load<f64>(first + j) + kappa * load<f64>(overallMean + j)
    store<f64>(out + j, load<f64>(reference + j) + sum / divisor)
  }
}

/** @returns false if the matrix cannot be factored */
function estimateMatrix(k: i32, kappa: f64, nu: f64, floor: f64): bool {
  formCovariance(k, kappa, nu)
  // trace ≥ 1/λ_min in units of the overall variance: where it is small, no eigenvalue is below the floor.
  const trace = factorise(k)
  const isUsable = trace >= 0 && (trace * floor <= 1 || isAbove(k, floor))
  if (!isUsable && !(floor > 0 && raiseEigenvalues(k, floor) && factorise(k) >= 0)) return false
  return storeLogDeterminant(k, sumOfLogs(factors + (<usize>(k * triangle) << 3)))
}

/** @returns false if a variance has collapsed and there is no floor */
function estimateVariances(k: i32, kappa: f64, nu: f64, floor: f64): bool {
  const weight = load<f64>(statistics + (<usize>k << 3))
  const first = firstMoments(k)
  const second = secondMoments(k)
  const out = <usize>k * (covariance == DIAGONAL ? meanBytes() : 8)
  const shrink = (kappa * weight) / (kappa + weight)
  const divisor = weight + nu
  let sum = 0.0
  let overall = 0.0
  for (let j: usize = 0; j < meanBytes(); j += 8) {
    const own = load<f64>(overallVariance + j)
    const mean = load<f64>(first + j) / weight
    const deviation = mean - load<f64>(overallMean + j)
    const scatter = load<f64>(second + j) - weight * mean * mean + shrink * deviation * deviation + nu * own
    const variance = scatter / divisor
    if (covariance == DIAGONAL) {
      if (!storeVariance(out + j, variance, own, floor)) return false
    } else {
      sum += variance
      overall += own
    }
  }
  if (covariance == DIAGONAL) return storeLogDeterminant(k, sumOfLogs(factors + out))
  if (!storeVariance(out, sum / columns, overall / columns, floor)) return false
  return storeLogDeterminant(k, <f64>columns * sumOfLogs(factors + out))
}

/** A variance, held at or above the floor, to `covariances`, and 1/σ to `factors`. @returns false if it is none */
function storeVariance(at: usize, variance: f64, overall: f64, floor: f64): bool {
  if (!(floor > 0 || variance > SMALLEST_SHARE * overall)) return false
  const held = max(variance, floor * overall)
  store<f64>(covariances + at, held)
  store<f64>(factors + at, 1 / sqrt(held))
  return true
}

/** @returns whether it is finite */
function storeLogDeterminant(k: i32, value: f64): bool {
  store<f64>(logDeterminants + (<usize>k << 3), value)
  return value - value == 0
}

/** Products within these bounds can take another factor. */
const SMALL: f64 = 1e-100
const LARGE: f64 = 1e100
const SMALLEST_NORMAL: f64 = 2.2250738585072014e-308

/** Σ_j log of L⁻¹'s diagonal, as logarithms of products: one is a row of divisions and multiplications. @returns NaN if a product is out of range */
function sumOfLogs(factor: usize): f64 {
  let sum = 0.0
  let product = 1.0
  let step = diagonalStep()
  const count = covariance > DIAGONAL ? 1 : columns
  for (let j = 0; j < count; j++, factor += step, step += diagonalGrowth()) {
    product *= load<f64>(factor)
    if (product > SMALL && product < LARGE && j + 1 < count) continue
    if (!(product >= SMALLEST_NORMAL && product < Infinity)) return NaN
    sum += f64x2.extract_lane(log(f64x2.splat(product)), 0)
    product = 1
  }
  return sum
}
