import { cholesky } from '../../numerics/cholesky.ts'
import { packedIndex } from '../../numerics/packed.ts'
import { columnwise, type Moments, overallMoments, type Parameters } from '../family.ts'
import type { GaussianLayout } from './layout.ts'

/** A variance this much above the floor is free; below it is held there (the M-step aims a few ulps higher than the floor). */
const TOLERANCE = 1e-6
/** The overall variances that a factor covariance tells are those of the events only once EM has converged. */
const FACTOR_TOLERANCE = 1e-2

/** Means and the diagonals of the covariances; of student-t components, of their scale matrices. */
export function gaussianMoments(layout: GaussianLayout, { means, covariances }: Parameters): Moments {
  const { components: K, columns: d } = layout
  const variances = new Float64Array(K * d)
  for (let k = 0; k < K; k++) for (let j = 0; j < d; j++) variances[k * d + j] = covariances![placeOf(layout, k, j, j)]!
  return columnwise(d, means!, variances)
}

/** Place of entry (i, j ≤ i) of component k's covariance in `covariances`. Of diagonal forms, i = j. */
function placeOf({ covariance, columns: d, packed }: GaussianLayout, k: number, i: number, j: number): number {
  switch (covariance) {
    case 'full':
    case 'factor':
      return k * packed + packedIndex(i, j)
    case 'tied':
      return packedIndex(i, j)
    case 'diag':
      return k * d + j
    case 'spherical':
      return k
  }
}

/**
 * Components held at the floor, by the form's own rule of it: Σ − floor·V is not positive definite (full, tied), σ²_j or Ψ_j at or
 * below floor·V_j for some j (diag, factor), σ² at or below the mean of that over j (spherical). V is the diagonal of overall
 * variances.
 */
export function flooredGaussians(
  layout: GaussianLayout,
  parameters: Parameters,
  weights: Float64Array,
  varianceFloor: number,
): boolean[] {
  const { components: K, columns: d, covariance } = layout
  const moments = gaussianMoments(layout, parameters)
  const floor = varianceFloor * (1 + (covariance === 'factor' ? FACTOR_TOLERANCE : TOLERANCE))
  const least = overallMoments(moments, weights).variance.map(value => value * floor)
  if (covariance === 'spherical') {
    const mean = least.reduce((a, b) => a + b) / d
    return Array.from({ length: K }, (_, k) => !(parameters.covariances![k]! > mean))
  }
  if (covariance === 'diag' || covariance === 'factor') {
    const own = covariance === 'diag' ? parameters.covariances! : parameters.noiseVariances!
    return Array.from({ length: K }, (_, k) => least.some((value, j) => !(own[k * d + j]! > value)))
  }
  const above = new Float64Array(layout.packed)
  const lower = new Float64Array(layout.packed)
  return Array.from({ length: K }, (_, k) => {
    for (let i = 0, t = 0; i < d; i++)
      for (let j = 0; j <= i; j++, t++)
        above[t] = parameters.covariances![placeOf(layout, k, i, j)]! - (i === j ? least[i]! : 0)
    return !cholesky(above, 0, d, lower)
  })
}
