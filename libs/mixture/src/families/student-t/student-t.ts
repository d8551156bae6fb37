import { boundLogDensity } from '../../numerics/log-sum-exp.ts'
import { digamma, logGamma } from '../../numerics/special.ts'
import type { Block } from '../block.ts'
import type { Family, Parameters, Statistics } from '../family.ts'
import { hasMissing, marginalDistances, squaredDistances } from '../gaussian/distance.ts'
import type { Accelerable, GaussianKernel } from '../gaussian/gaussian-kernel.ts'
import { initialGaussian } from '../gaussian/initial.ts'
import { checkedOptions, type GaussianOptions, gaussianLayout } from '../gaussian/layout.ts'
import { maximiseGaussian } from '../gaussian/maximise.ts'
import { patternCache } from '../gaussian/missing.ts'
import { flooredGaussians, gaussianMoments } from '../gaussian/moments.ts'
import { addComplete, addMissing, deviations } from '../gaussian/observe.ts'
import { estimateDegreesOfFreedom } from './degrees-of-freedom.ts'

export interface StudentTOptions extends GaussianOptions {
  /** ν > 0, held fixed; estimated for each component if absent */
  readonly degreesOfFreedom?: number
}

/** Where the estimate of ν begins. */
const STARTING_DEGREES = 10

/**
 * Multivariate Student t components (Peel & McLachlan 2000): a gaussian whose precision is scaled by u ~ Gamma(ν/2, ν/2),
 * so that an outlier has a small expected u and pulls on nothing.
 * Parameters: a gaussian family's, `covariances` being the scale matrices Σ (the covariance is Σ ν/(ν−2) for ν > 2), and
 * `degreesOfFreedom` ν (K).
 * Statistics: `[ s0 (K) | Σ r E[log u] (K) | a gaussian family's with r E[u] in place of r ]`.
 * The M-step is that of the parameter-expanded EM (Liu, Rubin & Wu 1998): Σ is divided by Σ r u, not Σ r. It has the same
 * fixed points and gets there faster.
 * @param kernel takes over what it can of the M-step
 */
export function studentT(options: StudentTOptions, kernel?: GaussianKernel): Family & Accelerable {
  const layout = gaussianLayout(checkedOptions(options))
  const { components: K, columns: d } = layout
  const fixed = options.degreesOfFreedom
  if (fixed !== undefined && !(fixed > 0)) throw new Error(`degreesOfFreedom: expected a number > 0, got ${fixed}`)
  const row = new Float64Array(d)
  const z = new Float64Array(d)
  const triangle = new Float64Array(layout.triangular ? layout.packed : 0)
  const determinants = new Float64Array(K)
  const constants = new Float64Array(K)
  const patterns = patternCache(layout)
  let distances = new Float64Array(0)
  let scaled = new Float64Array(0)

  /** Observed columns of row n; its distances (of what is observed) are written to `distances`, its log |L⁻¹| to `determinants`. */
  const observedOf = (parameters: Parameters, block: Block, n: number): number => {
    if (!(Number.isNaN(distances[n * K]!) && hasMissing(block.values, n * d, d))) return d
    return marginalDistances(layout, parameters, block, n, patterns(parameters), distances, determinants, n * K, row)
  }

  const measure = (parameters: Parameters, block: Block): void => {
    const size = block.rows * K
    if (distances.length < size) {
      distances = new Float64Array(size)
      scaled = new Float64Array(size)
    }
    squaredDistances(layout, parameters, block, distances, row)
  }

  return {
    name: 'student-t',
    components: K,
    columns: d,
    statisticsLength: 2 * K + layout.length,

    initial: (block, weights) => ({
      ...initialGaussian(layout, block, weights),
      degreesOfFreedom: new Float64Array(K).fill(fixed ?? STARTING_DEGREES),
    }),

    observe(into, block, responsibilities, parameters) {
      const { reference, degreesOfFreedom } = parameters as Record<'reference' | 'degreesOfFreedom', Float64Array>
      const moments = into.subarray(2 * K)
      measure(parameters, block)
      for (let n = 0; n < block.rows; n++) {
        const missing = deviations(block, n, reference, z)
        const size = observedOf(parameters, block, n)
        for (let k = 0; k < K; k++) {
          const r = responsibilities[n * K + k]!
          const nu = degreesOfFreedom[k]!
          const rate = nu + bounded(distances[n * K + k]!)
          scaled[n * K + k] = (r * (nu + size)) / rate
          into[k]! += r
          if (r !== 0) into[K + k]! += r * (digamma((nu + size) / 2) - Math.log(rate / 2))
        }
        if (missing)
          addMissing(
            layout,
            moments,
            block,
            n,
            z,
            scaled,
            responsibilities,
            n * K,
            parameters,
            patterns(parameters),
            row,
          )
        else addComplete(layout, moments, z, scaled, n * K, triangle)
      }
    },

    maximise(statistics: Statistics, prior, previous) {
      const gaussian = maximiseGaussian(
        layout,
        statistics.subarray(2 * K),
        prior,
        previous,
        undefined,
        undefined,
        kernel,
      )
      const degreesOfFreedom = previous.degreesOfFreedom!.slice()
      const common = layout.covariance === 'tied'
      if (fixed === undefined) estimateDegreesOfFreedom(statistics, K, common, degreesOfFreedom)
      return { ...gaussian, degreesOfFreedom }
    },

    logDensity(parameters, block, out) {
      const nus = parameters.degreesOfFreedom!
      measure(parameters, block)
      const normaliser = (nu: number, size: number) =>
        logGamma((nu + size) / 2) - logGamma(nu / 2) - 0.5 * size * Math.log(nu * Math.PI)
      for (let k = 0; k < K; k++) constants[k] = normaliser(nus[k]!, d) + parameters.logDeterminants![k]!
      for (let n = 0; n < block.rows; n++) {
        const size = observedOf(parameters, block, n)
        for (let k = 0; k < K; k++) {
          const nu = nus[k]!
          const constant = size === d ? constants[k]! : normaliser(nu, size) + determinants[k]!
          const distance = bounded(distances[n * K + k]!)
          out[n * K + k] = boundLogDensity(constant - 0.5 * (nu + size) * Math.log1p(distance / nu))
        }
      }
    },

    moments: parameters => gaussianMoments(layout, parameters),
    floored: (...of) => flooredGaussians(layout, ...of),
    withKernel: other => studentT(options, other),
  }
}

/** A distance that overflowed is very far, not infinitely so. */
function bounded(distance: number): number {
  if (distance < 1e300) return distance
  return 1e300
}
