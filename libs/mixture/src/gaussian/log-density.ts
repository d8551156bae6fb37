import type { Block } from '../block.ts'
import type { Parameters } from '../family.ts'
import { boundLogDensity } from '../numerics/log-sum-exp.ts'
import type { GaussianLayout } from './layout.ts'
import type { MissingPatterns } from './missing.ts'

const LOG_TWO_PI = Math.log(2 * Math.PI)

/**
 * log N(x_n; μ_k, Σ_k) of rows without missing values, nats: −½ (d log 2π + |L⁻¹(x−μ)|²) + log |L⁻¹|.
 * A row's NaN makes its densities NaN; the caller overwrites those by `logDensityMissing`.
 * @param out written to, shape (rows, K)
 * @param scratch shape (≥ d), overwritten
 */
export function logDensityComplete(
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
  const constants = parameters.logDeterminants!
  for (let k = 0; k < components; k++) {
    const constant = constants[k]! - 0.5 * d * LOG_TWO_PI
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
        out[n * components + k] = boundLogDensity(constant - 0.5 * square)
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
        out[n * components + k] = boundLogDensity(constant - 0.5 * square)
      }
    }
  }
}

/**
 * log density of the observed columns of one row with missing values: the marginal N(x_O; μ_O, Σ_OO).
 * A row with nothing observed has log density 0.
 * @param out written to, K numbers at n·K
 */
export function logDensityMissing(
  layout: GaussianLayout,
  parameters: Parameters,
  block: Block,
  n: number,
  patterns: MissingPatterns,
  out: Float64Array,
  scratch: Float64Array,
): void {
  const { components, columns: d, covariance } = layout
  const { values } = block
  const means = parameters.means!
  const row = n * d
  if (!layout.triangular) {
    const precision = parameters.precisionsCholesky!
    for (let k = 0; k < components; k++) {
      let value = 0
      for (let j = 0; j < d; j++) {
        const x = values[row + j]!
        if (Number.isNaN(x)) continue
        const root = precision[covariance === 'diag' ? k * d + j : k]!
        const y = (x - means[k * d + j]!) * root
        value += Math.log(root) - 0.5 * (LOG_TWO_PI + y * y)
      }
      out[n * components + k] = boundLogDensity(value)
    }
    return
  }
  const pattern = patterns.of(values, row)
  const { observed } = pattern
  for (let k = 0; k < components; k++) {
    const marginal = pattern.marginal(k)
    for (let i = 0; i < observed.length; i++) scratch[i] = values[row + observed[i]!]! - means[k * d + observed[i]!]!
    let t = 0
    let square = 0
    for (let i = 0; i < observed.length; i++) {
      let y = 0
      for (let j = 0; j <= i; j++) y += marginal.precisionCholesky[t++]! * scratch[j]!
      square += y * y
    }
    out[n * components + k] = boundLogDensity(marginal.logDeterminant - 0.5 * (observed.length * LOG_TWO_PI + square))
  }
}
