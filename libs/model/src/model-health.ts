import type { Snapshot } from '@eddy/messages'
import type { ModelSpecification } from '@eddy/mixture'

/** Updates after which a reference centre has moved 63 % of the way to where its segment is. */
const referenceSteps = 100
/** A variance this much above the floor is free; below it is held there (the M-step aims a few ulps higher than the floor). */
const tolerance = 1e-6

type Gaussian = { readonly means: Float64Array; readonly covariances: Float64Array; readonly weights: Float64Array }

/** Means and covariances, or undefined where the family has none (counts, categories, products). */
function gaussianOf({ parameters }: Snapshot): Gaussian | undefined {
  const { means, covariances, weights } = parameters
  return means === undefined || covariances === undefined || weights === undefined
    ? undefined
    : { means, covariances, weights }
}

/**
 * Segments whose covariance is held at the variance floor in some direction: Σ − floor·V is not positive definite, where V is the
 * diagonal of overall variances, V_j = Σ_k π_k (Σ_kjj + (μ_kj − μ_j)²). A segment that stays there has collapsed onto few values.
 * @returns undefined where the family has no covariances
 */
export function flooredSegments(snapshot: Snapshot): number | undefined {
  const gaussian = gaussianOf(snapshot)
  if (gaussian === undefined) return undefined
  const { prior } = JSON.parse(snapshot.specification) as ModelSpecification
  const K = snapshot.segments.length
  const d = gaussian.means.length / K
  const variance = overallVariance(gaussian, K, d)
  const least = prior.varianceFloor * (1 + tolerance)
  let floored = 0
  for (let k = 0; k < K; k++) {
    const matrix = covarianceOf(gaussian.covariances, k, K, d)
    for (let j = 0; j < d; j++) matrix[j * d + j]! -= least * variance[j]!
    if (!isPositiveDefinite(matrix, d)) floored++
  }
  return floored
}

function overallVariance({ means, covariances, weights }: Gaussian, K: number, d: number): Float64Array {
  const mean = new Float64Array(d)
  const variance = new Float64Array(d)
  for (let k = 0; k < K; k++) for (let j = 0; j < d; j++) mean[j]! += weights[k]! * means[k * d + j]!
  for (let k = 0; k < K; k++) {
    for (let j = 0; j < d; j++)
      variance[j]! += weights[k]! * (varianceOf(covariances, k, j, K, d) + (means[k * d + j]! - mean[j]!) ** 2)
  }
  return variance
}

/** Component k's covariance as a (d, d) matrix, whatever form the family keeps it in (packed, tied, diagonal, spherical). */
function covarianceOf(covariances: Float64Array, k: number, K: number, d: number): Float64Array {
  const matrix = new Float64Array(d * d)
  if (isPacked(covariances, K, d)) {
    let at = packedStart(covariances, k, d)
    for (let i = 0; i < d; i++) for (let j = 0; j <= i; j++) matrix[i * d + j] = matrix[j * d + i] = covariances[at++]!
  } else for (let j = 0; j < d; j++) matrix[j * d + j] = varianceOf(covariances, k, j, K, d)
  return matrix
}

/** Component k's variance of feature j. */
function varianceOf(covariances: Float64Array, k: number, j: number, K: number, d: number): number {
  if (isPacked(covariances, K, d)) return covariances[packedStart(covariances, k, d) + (j * (j + 3)) / 2]!
  return covariances.length === K ? covariances[k]! : covariances[k * d + j]!
}

const packedSize = (d: number): number => (d * (d + 1)) / 2

/** Lower triangles, one a component or one for all. One number a component is both packed and spherical when d = 1: the same matrix. */
const isPacked = ({ length }: Float64Array, K: number, d: number): boolean =>
  length === K * packedSize(d) || length === packedSize(d)

const packedStart = ({ length }: Float64Array, k: number, d: number): number =>
  length === packedSize(d) ? 0 : k * packedSize(d)

/** By Cholesky's factorisation, in place. */
function isPositiveDefinite(a: Float64Array, d: number): boolean {
  for (let j = 0; j < d; j++) {
    let pivot = a[j * d + j]!
    for (let m = 0; m < j; m++) pivot -= a[j * d + m]! ** 2
    if (!(pivot > 0)) return false
    const root = Math.sqrt(pivot)
    a[j * d + j] = root
    for (let i = j + 1; i < d; i++) {
      let sum = a[i * d + j]!
      for (let m = 0; m < j; m++) sum -= a[i * d + m]! * a[j * d + m]!
      a[i * d + j] = sum / root
    }
  }
  return true
}

/**
 * How far each segment's centre is from its reference: its own centre, smoothed over the last hundred or so updates. A segment that
 * moves v standard deviations an update shows 100 v; one that has come to rest goes back to 0.
 */
export class Drift {
  readonly #references = new Map<string, Float64Array>()
  #step = 0

  /** Distances by segment id, in the segment's own standard deviations (root mean square over features). */
  observe(snapshot: Snapshot): ReadonlyMap<string, number> {
    const distances = new Map<string, number>()
    const gaussian = gaussianOf(snapshot)
    if (gaussian === undefined) return distances
    const K = snapshot.segments.length
    const d = gaussian.means.length / K
    const steps = Math.max(0, Number(snapshot.step) - this.#step)
    const share = 1 - Math.exp(-steps / referenceSteps)
    for (const [k, { id }] of snapshot.segments.entries()) {
      const mean = gaussian.means.subarray(k * d, (k + 1) * d)
      const reference = this.#references.get(id) ?? mean.slice()
      let squares = 0
      for (let j = 0; j < d; j++) {
        reference[j]! += share * (mean[j]! - reference[j]!)
        squares += (mean[j]! - reference[j]!) ** 2 / varianceOf(gaussian.covariances, k, j, K, d)
      }
      this.#references.set(id, reference)
      distances.set(id, Math.sqrt(squares / d))
    }
    for (const id of this.#references.keys()) if (!distances.has(id)) this.#references.delete(id)
    this.#step = Number(snapshot.step)
    return distances
  }
}
