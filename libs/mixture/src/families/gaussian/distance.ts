import type { Block } from '../block.ts'
import type { Parameters } from '../family.ts'
import type { GaussianLayout } from './layout.ts'
import type { MissingPatterns } from './missing.ts'

/**
 * Squared Mahalanobis distances |L⁻¹ (x_n − μ_k)|² of rows without missing values. A row's NaN makes its distances NaN.
 * @param out written to, shape (rows, K)
 * @param scratch shape (≥ d), overwritten
 */
export function squaredDistances(
  layout: GaussianLayout,
  parameters: Parameters,
  block: Block,
  out: Float64Array,
  scratch: Float64Array,
): void {
  const { components, columns: d, covariance, packed } = layout
  const { rows, values } = block
  const means = parameters.means!
  const precision = parameters.precisionsCholesky!
  for (let k = 0; k < components; k++) {
    const mean = k * d
    if (layout.triangular) {
      const triangle = covariance === 'tied' ? 0 : k * packed
      for (let n = 0; n < rows; n++) {
        const row = n * d
        for (let i = 0; i < d; i++) scratch[i] = values[row + i]! - means[mean + i]!
        let t = triangle
        let square = 0
        for (let i = 0; i < d; i++) {
          let y = 0
          for (let j = 0; j <= i; j++) y += precision[t++]! * scratch[j]!
          square += y * y
        }
        out[n * components + k] = square
      }
    } else {
      const stride = covariance === 'diag' ? 1 : 0
      const start = covariance === 'diag' ? k * d : k
      for (let n = 0; n < rows; n++) {
        const row = n * d
        let square = 0
        for (let j = 0; j < d; j++) {
          const y = (values[row + j]! - means[mean + j]!) * precision[start + j * stride]!
          square += y * y
        }
        out[n * components + k] = square
      }
    }
  }
}

/**
 * Of one row with missing values: the squared Mahalanobis distance of what is observed, under the marginal (μ_O, Σ_OO).
 * @param distance written to, K numbers at `offset`
 * @param logDeterminant written to, shape (K): log |L⁻¹| of Σ_OO, nats
 * @returns the number of observed columns
 */
export function marginalDistances(
  layout: GaussianLayout,
  parameters: Parameters,
  block: Block,
  n: number,
  patterns: MissingPatterns,
  distance: Float64Array,
  logDeterminant: Float64Array,
  offset: number,
  scratch: Float64Array,
): number {
  const { components, columns: d, covariance } = layout
  const { values } = block
  const means = parameters.means!
  const row = n * d
  if (!layout.triangular) {
    const precision = parameters.precisionsCholesky!
    let observed = 0
    for (let k = 0; k < components; k++) {
      let square = 0
      let determinant = 0
      observed = 0
      for (let j = 0; j < d; j++) {
        const x = values[row + j]!
        if (Number.isNaN(x)) continue
        observed++
        const root = precision[covariance === 'diag' ? k * d + j : k]!
        const y = (x - means[k * d + j]!) * root
        determinant += Math.log(root)
        square += y * y
      }
      distance[offset + k] = square
      logDeterminant[k] = determinant
    }
    return observed
  }
  const pattern = patterns.of(values, row)
  const { observed } = pattern
  for (let k = 0; k < components; k++) {
    const marginal = pattern.marginal(k)
    for (let i = 0; i < observed.length; i++) scratch[i] = values[row + observed[i]!]! - means[k * d + observed[i]!]!
    let square = 0
    for (let i = 0, t = 0; i < observed.length; i++) {
      let y = 0
      for (let j = 0; j <= i; j++) y += marginal.precisionCholesky[t++]! * scratch[j]!
      square += y * y
    }
    distance[offset + k] = square
    logDeterminant[k] = marginal.logDeterminant
  }
  return observed.length
}

/** Whether a value of the row that starts at `offset` is missing. */
export function hasMissing(values: Float64Array, offset: number, length: number): boolean {
  for (let j = offset; j < offset + length; j++) if (Number.isNaN(values[j]!)) return true
  return false
}
