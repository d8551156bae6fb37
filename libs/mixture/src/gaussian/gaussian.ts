import type { Block } from '../block.ts'
import type { Family, Parameters } from '../family.ts'
import { compiledGaussian } from '../kernel/compiled-gaussian.ts'
import { kernelShape } from '../kernel/shape.ts'
import { packedIndex } from '../numerics/packed.ts'
import { type GaussianLayout, type GaussianOptions, gaussianLayout } from './layout.ts'
import { logDensityComplete, logDensityMissing } from './log-density.ts'
import { maximiseGaussian } from './maximise.ts'
import { type MissingPatterns, missingPatterns } from './missing.ts'
import { addComplete, addMissing, deviations } from './observe.ts'

/** A gaussian family says what form it has, so that a compiled kernel can be chosen for it. */
export interface GaussianFamily extends Family {
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
 * Complete events go to the compiled kernel where it runs (`kernelInfo`); what is written here and in this folder is its
 * specification, its fallback, and the way for missing values.
 * @throws if a size is not a positive whole number
 */
export function gaussian(options: GaussianOptions): GaussianFamily {
  const layout = gaussianLayout(checked(options))
  const { components, columns: d } = layout
  const scratch = new Float64Array(d)
  const z = new Float64Array(d)
  const triangle = new Float64Array(layout.triangular ? layout.packed : 0)
  const patterns = patternCache(layout)

  const compiled = compiledGaussian(kernelShape(layout), {
    observe(into, block, responsibilities, parameters) {
      const reference = parameters.reference!
      for (let n = 0; n < block.rows; n++) {
        const offset = n * components
        if (deviations(block, n, reference, z))
          addMissing(layout, into, block, n, z, responsibilities, offset, parameters, patterns(parameters), scratch)
        else addComplete(layout, into, z, responsibilities, offset, triangle)
      }
    },

    logDensity(parameters, block, out) {
      logDensityComplete(layout, parameters, block, out, scratch)
      const { rows, values } = block
      for (let n = 0; n < rows; n++)
        if (hasMissing(values, n * d, d))
          logDensityMissing(layout, parameters, block, n, patterns(parameters), out, scratch)
    },
  })

  return {
    name: 'gaussian',
    layout,
    components,
    columns: d,
    statisticsLength: layout.length,
    initial: (block, weights) => initialGaussian(layout, block, weights),
    maximise: (statistics, prior, previous) => maximiseGaussian(layout, statistics, prior, previous),
    ...compiled,
  }
}

function hasMissing(values: Float64Array, offset: number, length: number): boolean {
  for (let j = offset; j < offset + length; j++) if (Number.isNaN(values[j]!)) return true
  return false
}

/** Patterns of the parameters asked for last: a batch is scored and observed under one set of them. */
function patternCache(layout: GaussianLayout): (parameters: Parameters) => MissingPatterns {
  let covariances: Float64Array | undefined
  let patterns: MissingPatterns | undefined
  return parameters => {
    if (patterns === undefined || covariances !== parameters.covariances) {
      covariances = parameters.covariances
      patterns = missingPatterns(layout, parameters)
    }
    return patterns
  }
}

/** K equal components with the sample's mean and (diagonal) variance; c is the sample mean, or 0 where that is rounding. */
function initialGaussian(layout: GaussianLayout, block: Block, weights: Float64Array | undefined): Parameters {
  const { components, columns: d, covariance, packed } = layout
  const mean = new Float64Array(d)
  const variance = new Float64Array(d).fill(1)
  for (let j = 0; j < d; j++) {
    let weight = 0
    let sum = 0
    for (let n = 0; n < block.rows; n++) {
      const x = block.values[n * d + j]!
      const w = Number.isNaN(x) ? 0 : (weights?.[n] ?? 1)
      if (w === 0) continue
      weight += w
      sum += (w / weight) * (x - sum)
    }
    let square = 0
    for (let n = 0; n < block.rows; n++) {
      const x = block.values[n * d + j]!
      const w = Number.isNaN(x) ? 0 : (weights?.[n] ?? 1)
      if (w !== 0) square += (w / weight) * (x - sum) ** 2
    }
    if (square > 1e-24 * sum * sum && square < Infinity) variance[j] = square
    mean[j] = Math.abs(sum) <= 1e-9 * Math.sqrt(variance[j]!) ? 0 : sum
  }
  const means = new Float64Array(components * d)
  for (let k = 0; k < components; k++) means.set(mean, k * d)
  const blocks = covariance === 'tied' ? 1 : components
  const average = variance.reduce((a, b) => a + b, 0) / d
  const size = layout.triangular ? packed : covariance === 'diag' ? d : 1
  const covariances = new Float64Array(blocks * size)
  for (let k = 0; k < blocks; k++)
    for (let j = 0; j < d; j++) {
      if (layout.triangular) covariances[k * size + packedIndex(j, j)] = variance[j]!
      else if (covariance === 'diag') covariances[k * size + j] = variance[j]!
      else covariances[k] = average
    }
  const precisionsCholesky = covariances.map(value => (value > 0 ? 1 / Math.sqrt(value) : 0))
  const logDeterminant =
    covariance === 'spherical' ? -0.5 * d * Math.log(average) : -0.5 * variance.reduce((a, b) => a + Math.log(b), 0)
  const logDeterminants = new Float64Array(components).fill(logDeterminant)
  const common = { means, covariances, precisionsCholesky, logDeterminants, reference: mean }
  if (covariance !== 'factor') return common
  const noiseVariances = new Float64Array(components * d)
  for (let k = 0; k < components; k++) noiseVariances.set(variance, k * d)
  return { ...common, loadings: new Float64Array(components * d * layout.factors), noiseVariances }
}

function checked(options: GaussianOptions): GaussianOptions {
  const { components, columns, covariance, factors = 1 } = options
  const positive = (name: string, value: number) => {
    if (!(Number.isInteger(value) && value > 0)) throw new Error(`${name}: expected a whole number ≥ 1, got ${value}`)
  }
  positive('components', components)
  positive('columns', columns)
  positive('factors', factors)
  if (covariance === 'factor' && factors > columns)
    throw new Error(`factors: expected at most the number of columns (${columns}), got ${factors}`)
  return options
}
