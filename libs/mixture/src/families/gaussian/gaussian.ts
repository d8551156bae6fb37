import type { Family } from '../family.ts'
import type { Accelerable, GaussianKernel } from './gaussian-kernel.ts'
import { initialGaussian } from './initial.ts'
import { checkedOptions, type GaussianLayout, type GaussianOptions, gaussianLayout } from './layout.ts'
import { gaussianLogDensity } from './log-density.ts'
import { maximiseGaussian } from './maximise.ts'
import { patternCache } from './missing.ts'
import { flooredGaussians, gaussianMoments } from './moments.ts'
import { addComplete, addMissing, deviations } from './observe.ts'

/** A gaussian family says what form it has, so that a kernel can be chosen for it. */
export interface GaussianFamily extends Family, Accelerable {
  readonly layout: GaussianLayout
}

/**
 * Multivariate normal components. Statistics: see `GaussianLayout`. Parameters, in model units:
 * - `means` (K, d)
 * - `covariances`: full, factor (K, p) packed lower triangles; tied (p); diag (K, d); spherical (K)
 * - `precisionsCholesky`: the same shapes. Full, factor and tied: packed rows of L⁻¹ with Σ = L Lᵀ, which is Uᵀ where
 *   Σ⁻¹ = U Uᵀ (scikit-learn's `precisions_cholesky_` is U); diag and spherical: 1/sd
 * - `logDeterminants` (K): log |L⁻¹| = −½ log |Σ|, nats
 * - `reference` (d): c, about which the statistics' moments are taken
 * - factor only: `loadings` Λ (K, d, q), `noiseVariances` (K, d), with Σ = ΛΛᵀ + Ψ
 *
 * Missing values (NaN), for every covariance type: the density is the marginal of what is observed, the statistics take the
 * conditional mean and covariance of what is not.
 *
 * @param kernel takes over what it can; what is written here and in this folder is its specification and its fallback
 * @throws if a size is not a positive whole number
 */
export function gaussian(options: GaussianOptions, kernel?: GaussianKernel): GaussianFamily {
  const layout = gaussianLayout(checkedOptions(options))
  const { components, columns: d } = layout
  const scratch = { row: new Float64Array(d), components: new Float64Array(components) }
  const z = new Float64Array(d)
  const triangle = new Float64Array(layout.triangular ? layout.packed : 0)
  const patterns = patternCache(layout)

  return {
    name: 'gaussian',
    layout,
    components,
    columns: d,
    statisticsLength: layout.length,
    initial: (block, weights) => initialGaussian(layout, block, weights),

    observe(into, block, responsibilities, parameters) {
      if (kernel?.observe(layout, into, block, responsibilities, parameters)) return
      const reference = parameters.reference!
      for (let n = 0; n < block.rows; n++) {
        const offset = n * components
        if (deviations(block, n, reference, z)) {
          const known = patterns(parameters)
          const { row } = scratch
          addMissing(layout, into, block, n, z, responsibilities, responsibilities, offset, parameters, known, row)
        } else addComplete(layout, into, z, responsibilities, offset, triangle)
      }
    },

    maximise: (statistics, prior, previous, only, into) =>
      maximiseGaussian(layout, statistics, prior, previous, only, into, kernel),

    logDensity(parameters, block, out) {
      if (kernel?.logDensity(layout, parameters, block, out)) return
      gaussianLogDensity(layout, parameters, block, patterns, out, scratch)
    },

    moments: parameters => gaussianMoments(layout, parameters),
    floored: (...of) => flooredGaussians(layout, ...of),
    withKernel: other => gaussian(options, other),
  }
}
