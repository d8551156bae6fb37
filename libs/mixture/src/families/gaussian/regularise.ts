import { cholesky, invertLower, logDeterminantLower } from '../../numerics/cholesky.ts'
import { packedIndex, unpackSymmetric } from '../../numerics/packed.ts'
import { symmetricEigen } from '../../numerics/symmetric-eigen.ts'

/** First rung of the jitter ladder, as a share of the feature's overall variance; each rung is ten times the last. */
const JITTER = 1e-12

/**
 * Makes a covariance usable and factors it: eigenvalues (of the covariance scaled by the features' overall variances)
 * below the floor are raised to it; only then is the matrix changed. Without a floor a singular matrix climbs the
 * jitter ladder until its Cholesky factor exists.
 * @param covariance packed lower triangle, may be changed
 * @param overall shape (d), > 0: each feature's overall variance, the unit of floor and jitter
 * @param precision written to at `offset`: packed L⁻¹, where covariance = L Lᵀ
 * @param lower scratch, length ≥ p
 * @returns log |L⁻¹| in nats
 */
export function regulariseCovariance(
  covariance: Float64Array,
  overall: Float64Array,
  floor: number,
  precision: Float64Array,
  offset: number,
  lower: Float64Array,
): number {
  const d = overall.length
  let factored = cholesky(covariance, 0, d, lower)
  if (factored && floor > 0) {
    invertLower(lower, d, precision, offset)
    // tr(V^½ Σ⁻¹ V^½) ≥ 1/λ_min: where it is small, no eigenvalue needs to be looked at.
    let trace = 0
    for (let i = 0, t = offset; i < d; i++) for (let j = 0; j <= i; j++, t++) trace += precision[t]! ** 2 * overall[j]!
    if (trace * floor <= 1) return logDeterminantLower(precision, offset, d)
  }
  if (floor > 0 && raiseEigenvalues(covariance, overall, floor)) factored = cholesky(covariance, 0, d, lower)
  for (let jitter = JITTER; !factored; jitter *= 10) {
    // Far beyond any rounding error: the matrix is not a covariance at all, and the features' own variances stand in for it.
    const lost = jitter > 1e6
    if (lost) covariance.fill(0)
    for (let i = 0; i < d; i++) covariance[packedIndex(i, i)]! += (lost ? 1 : jitter) * overall[i]!
    factored = cholesky(covariance, 0, d, lower)
  }
  invertLower(lower, d, precision, offset)
  return logDeterminantLower(precision, offset, d)
}

/** Raises the eigenvalues of V^−½ Σ V^−½ that are below `floor`. @returns whether there were any */
function raiseEigenvalues(covariance: Float64Array, overall: Float64Array, floor: number): boolean {
  const d = overall.length
  const scaled = unpackSymmetric(covariance, d)
  for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) scaled[i * d + j]! /= Math.sqrt(overall[i]! * overall[j]!)
  const { values, vectors } = symmetricEigen(scaled, d)
  if (!(values[0]! < floor)) return false
  // Rounding in the sum below may cost an eigenvalue a few ulps of the largest one; aim that much higher.
  const target = Math.max(floor * (1 + 1e-9), floor + 4 * d * Number.EPSILON * Math.abs(values[d - 1]!))
  for (let m = 0; m < d; m++) values[m] = Math.max(values[m]!, target)
  for (let i = 0, t = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0
      for (let m = 0; m < d; m++) sum += vectors[i * d + m]! * values[m]! * vectors[j * d + m]!
      covariance[t++] = sum * Math.sqrt(overall[i]! * overall[j]!)
    }
  }
  return true
}

/** A variance held at or above the floor; without a floor, above the first rung of the jitter ladder where it collapsed. */
export function regulariseVariance(variance: number, overall: number, floor: number): number {
  if (floor > 0) return Math.max(variance, floor * overall)
  return variance > 4 * Number.EPSILON * overall ? variance : JITTER * overall
}
