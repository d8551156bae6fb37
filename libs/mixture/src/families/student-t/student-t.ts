import { boundLogDensity } from '../../numerics/log-sum-exp.ts'
import { digamma } from '../../numerics/special.ts'
import type { Block } from '../block.ts'
import type { Family, Parameters, Statistics } from '../family.ts'
import { addCellVariance, firstColumns, precisionCache } from '../gaussian/cell-variance.ts'
import { hasMissing, marginalDistances, squaredDistances } from '../gaussian/distance.ts'
import type { Accelerable, GaussianKernel } from '../gaussian/gaussian-kernel.ts'
import { initialGaussian } from '../gaussian/initial.ts'
import { checkedOptions, type GaussianOptions, gaussianLayout } from '../gaussian/layout.ts'
import { maximiseGaussian } from '../gaussian/maximise.ts'
import { patternCache } from '../gaussian/missing.ts'
import { flooredGaussians, gaussianMoments } from '../gaussian/moments.ts'
import { addComplete, addMissing, deviations } from '../gaussian/observe.ts'
import { DEGREES, gridLikelihoods, logNormaliser, nearerDegrees, STARTING_PLACE } from './degrees-grid.ts'
import { estimateDegreesOfFreedom } from './degrees-of-freedom.ts'

export interface StudentTOptions extends GaussianOptions {
  /** ν > 0, held fixed; estimated for each component if absent */
  readonly degreesOfFreedom?: number
  /** ν of each component is the best of `DEGREES`, one place at a time, instead of estimated; not beside `degreesOfFreedom` */
  readonly degreesOnGrid?: boolean
  /** columns of the d that stand for cells, whose variances are behind the d columns of a block: see `gaussianWithCells` */
  readonly cells?: readonly number[]
}

/** Where the estimate of ν begins. */
const STARTING_DEGREES = 10

/**
 * Multivariate Student t components (Peel & McLachlan 2000): a gaussian whose precision is scaled by u ~ Gamma(ν/2, ν/2),
 * so that an outlier has a small expected u and pulls on nothing.
 * Parameters: a gaussian family's, `covariances` being the scale matrices Σ (the covariance is Σ ν/(ν−2) for ν > 2), and
 * `degreesOfFreedom` ν (K).
 * Statistics: `[ s0 (K) | Σ r E[log u] (K) | a gaussian family's with r E[u] in place of r ]`.
 * With `degreesOnGrid`, Σ r log t_ν(x) for each ν of the grid (K, G), but for what they share, stands in place of Σ r E[log u]: an actual likelihood, not the one
 * with u as latent variable, so that ν is there in a few steps where the root of the expected one takes dozens.
 * The M-step is that of the parameter-expanded EM (Liu, Rubin & Wu 1998): Σ is divided by Σ r u, not Σ r. It has the same
 * fixed points and gets there faster. A value's cell adds its variance to the squared distance and to r E[u] x xᵀ.
 * @param kernel takes over what it can of the M-step
 */
export function studentT(options: StudentTOptions, kernel?: GaussianKernel): Family & Accelerable {
  const layout = gaussianLayout(checkedOptions(options))
  const { components: K, columns: d } = layout
  const { degreesOfFreedom: fixed, cells = [], degreesOnGrid = false } = options
  const G = degreesOnGrid ? DEGREES.length : 1
  const momentsAt = K + K * G
  const addLikelihoods = gridLikelihoods(d)
  const columns = d + cells.length
  const copyNumbers = firstColumns(d)
  const numbers = (block: Block): Block => (cells.length === 0 ? block : copyNumbers(block))
  const precisions = precisionCache(layout, cells)
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

  /** What the cells of event n add to its squared distance from component k. */
  const spread = (parameters: Parameters, { values }: Block, n: number, k: number): number => {
    if (cells.length === 0) return 0
    const own = precisions(parameters)
    let sum = 0
    for (let i = 0; i < cells.length; i++) {
      const variance = values[n * columns + d + i]!
      if (variance > 0) sum += variance * own[i * K + k]!
    }
    return sum
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
    columns,
    statisticsLength: momentsAt + layout.length,

    initial: (block, weights) => ({
      ...initialGaussian(layout, numbers(block), weights),
      degreesOfFreedom: new Float64Array(K).fill(
        fixed ?? (degreesOnGrid ? DEGREES[STARTING_PLACE]! : STARTING_DEGREES),
      ),
    }),

    observe(into, all, responsibilities, parameters) {
      const block = numbers(all)
      const { reference, degreesOfFreedom } = parameters as Record<'reference' | 'degreesOfFreedom', Float64Array>
      const moments = into.subarray(momentsAt)
      measure(parameters, block)
      for (let n = 0; n < block.rows; n++) {
        const missing = deviations(block, n, reference, z)
        const size = observedOf(parameters, block, n)
        for (let k = 0; k < K; k++) {
          const r = responsibilities[n * K + k]!
          const nu = degreesOfFreedom[k]!
          const distance = bounded(distances[n * K + k]! + spread(parameters, all, n, k))
          const rate = nu + distance
          scaled[n * K + k] = (r * (nu + size)) / rate
          into[k]! += r
          if (r === 0) continue
          if (degreesOnGrid) addLikelihoods(into, K + k * G, r, distance, size)
          else into[K + k]! += r * (digamma((nu + size) / 2) - Math.log(rate / 2))
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
        for (const [i, j] of cells.entries()) {
          const variance = all.values[n * columns + d + i]!
          if (!(variance > 0)) continue
          for (let k = 0; k < K; k++) addCellVariance(moments, layout, k, j, scaled[n * K + k]! * variance)
        }
      }
    },

    maximise(statistics: Statistics, prior, previous) {
      const gaussian = maximiseGaussian(
        layout,
        statistics.subarray(momentsAt),
        prior,
        previous,
        undefined,
        undefined,
        kernel,
      )
      const degreesOfFreedom = previous.degreesOfFreedom!.slice()
      const common = layout.covariance === 'tied'
      if (degreesOnGrid) {
        for (let k = 0; k < K; k++)
          if (statistics[k]! > 0) degreesOfFreedom[k] = nearerDegrees(statistics, K + k * G, degreesOfFreedom[k]!)
      } else if (fixed === undefined) estimateDegreesOfFreedom(statistics, K, common, degreesOfFreedom)
      return { ...gaussian, degreesOfFreedom }
    },

    logDensity(parameters, all, out) {
      const block = numbers(all)
      const nus = parameters.degreesOfFreedom!
      measure(parameters, block)
      for (let k = 0; k < K; k++) constants[k] = logNormaliser(nus[k]!, d) + parameters.logDeterminants![k]!
      for (let n = 0; n < block.rows; n++) {
        const size = observedOf(parameters, block, n)
        for (let k = 0; k < K; k++) {
          const nu = nus[k]!
          const constant = size === d ? constants[k]! : logNormaliser(nu, size) + determinants[k]!
          const distance = bounded(distances[n * K + k]! + spread(parameters, all, n, k))
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
