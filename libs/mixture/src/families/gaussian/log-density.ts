import { boundLogDensity } from '../../numerics/log-sum-exp.ts'
import type { Block } from '../block.ts'
import type { Parameters } from '../family.ts'
import { hasMissing, marginalDistances, squaredDistances } from './distance.ts'
import type { GaussianLayout } from './layout.ts'
import type { MissingPatterns } from './missing.ts'

const LOG_TWO_PI = Math.log(2 * Math.PI)

/**
 * log N(x_n; μ_k, Σ_k), nats: −½ (d log 2π + |L⁻¹(x−μ)|²) + log |L⁻¹|; of a row with missing values the marginal
 * density of what is observed, 0 where nothing is.
 * @param out written to, shape (rows, K)
 */
export function gaussianLogDensity(
  layout: GaussianLayout,
  parameters: Parameters,
  block: Block,
  patterns: (parameters: Parameters) => MissingPatterns,
  out: Float64Array,
  scratch: { readonly row: Float64Array; readonly components: Float64Array },
): void {
  const { components, columns: d } = layout
  const { rows, values } = block
  const determinants = parameters.logDeterminants!
  squaredDistances(layout, parameters, block, out, scratch.row)
  for (let n = 0; n < rows; n++) {
    const start = n * components
    // A row with a missing value has NaN distances; so may one whose distance overflows, which is only very far.
    if (Number.isNaN(out[start]!) && hasMissing(values, n * d, d)) {
      const own = scratch.components
      const seen = marginalDistances(layout, parameters, block, n, patterns(parameters), out, own, start, scratch.row)
      for (let k = 0; k < components; k++)
        out[start + k] = boundLogDensity(own[k]! - 0.5 * (seen * LOG_TWO_PI + out[start + k]!))
      continue
    }
    for (let k = 0; k < components; k++)
      out[start + k] = boundLogDensity(determinants[k]! - 0.5 * (d * LOG_TWO_PI + out[start + k]!))
  }
}
