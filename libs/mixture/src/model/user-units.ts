import type { Parameters } from '../families/family.ts'
import { packedIndex, packedLength } from '../numerics/packed.ts'
import { columnsOfType } from './create-mixture.ts'
import type { ModelSpecification } from './specification.ts'

/**
 * The numbers' means and covariances in the user's units: centring and scaling undone, while a feature declared log1p or
 * yeo-johnson stays bent. Arrays are nested as in scikit-learn's GaussianMixture.
 */
export interface UserUnits {
  /** names of the features of type `number`, the columns of what follows */
  readonly features: readonly string[]
  /** full, tied, diag or spherical: what `covariances` is; a spherical model with unequal scales is diag, factor is full */
  readonly covarianceType: 'full' | 'tied' | 'diag' | 'spherical'
  /** shape (K, d) */
  readonly means: number[][]
  /** full (K, d, d), tied (d, d), diag (K, d), spherical (K) */
  readonly covariances: unknown
  /** the same shapes; U with Σ⁻¹ = U Uᵀ, upper triangular, or 1/sd */
  readonly precisionsCholesky: unknown
}

export function toUserUnits(specification: ModelSpecification, transform: Parameters, gaussian: Parameters): UserUnits {
  const columns = columnsOfType(specification, 'number')
  const d = columns.length
  const K = specification.components
  const scale = columns.map(j => transform.transformScale![j]!)
  const centre = columns.map(j => transform.transformCentre![j]!)
  const features = columns.map(j => specification.features[j]!.name)
  const means = rowsOfMatrix(gaussian.means!, K, d).map(row => row.map((m, j) => m * scale[j]! + centre[j]!))
  const { covariances, precisionsCholesky } = gaussian as Record<'covariances' | 'precisionsCholesky', Float64Array>
  const { covariance } = specification
  if (covariance === 'spherical' && scale.every(s => s === scale[0])) {
    const s = scale[0]!
    return {
      features,
      covarianceType: 'spherical',
      means,
      covariances: [...covariances].map(v => v * s * s),
      precisionsCholesky: [...precisionsCholesky].map(p => p / s),
    }
  }
  if (covariance === 'diag' || covariance === 'spherical') {
    const at = (k: number, j: number) => (covariance === 'diag' ? k * d + j : k)
    const table = (value: (k: number, j: number) => number) => means.map((_, k) => scale.map((_, j) => value(k, j)))
    return {
      features,
      covarianceType: 'diag',
      means,
      covariances: table((k, j) => covariances[at(k, j)]! * scale[j]! ** 2),
      precisionsCholesky: table((k, j) => precisionsCholesky[at(k, j)]! / scale[j]!),
    }
  }
  const p = packedLength(d)
  const symmetric = (offset: number) =>
    scale.map((si, i) => scale.map((sj, j) => covariances[offset + packedIndex(i, j)]! * si * sj))
  const upper = (offset: number) =>
    scale.map((si, i) => scale.map((_, j) => (j < i ? 0 : precisionsCholesky[offset + packedIndex(j, i)]! / si)))
  if (covariance === 'tied')
    return { features, covarianceType: 'tied', means, covariances: symmetric(0), precisionsCholesky: upper(0) }
  const every = (matrix: (offset: number) => number[][]) => means.map((_, k) => matrix(k * p))
  return { features, covarianceType: 'full', means, covariances: every(symmetric), precisionsCholesky: every(upper) }
}

/** Nested rows of a flat (rows, columns) array. */
export function rowsOfMatrix(flat: Float64Array, rows: number, columns: number): number[][] {
  return Array.from({ length: rows }, (_, k) => [...flat.subarray(k * columns, (k + 1) * columns)])
}
