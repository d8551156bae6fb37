import { packedIndex } from '../../numerics/packed.ts'
import { type ComponentRange, copyComponents, type Parameters, type Statistics } from '../family.ts'
import type { Prior } from '../prior.ts'
import { factorCovariance, improveFactors } from './factor-analysis.ts'
import type { Estimates, GaussianKernel } from './gaussian-kernel.ts'
import type { GaussianLayout } from './layout.ts'
import { regulariseCovariance, regulariseVariance } from './regularise.ts'

/** A component with less than this share of all weight keeps its parameters: there is nothing to estimate them from. */
const OCCUPANCY_FLOOR = 1e-10

/** The mean (about c) and variance of all components together, from the statistics alone. */
interface Overall {
  readonly weight: number
  /** shape (d) */
  readonly mean: Float64Array
  /** shape (d), > 0: 1 (model units) for a constant feature */
  readonly variance: Float64Array
}

function overallMoments(layout: GaussianLayout, statistics: Statistics, reference: Float64Array): Overall {
  const { components, columns: d, covariance, packed, first, second } = layout
  let weight = 0
  const mean = new Float64Array(d)
  const variance = new Float64Array(d)
  const blocks = covariance === 'tied' ? 1 : components
  for (let k = 0; k < components; k++) {
    weight += statistics[k]!
    for (let j = 0; j < d; j++) mean[j]! += statistics[first + k * d + j]!
  }
  for (let k = 0; k < blocks; k++)
    for (let j = 0; j < d; j++)
      variance[j]! += statistics[second + (layout.triangular ? k * packed + packedIndex(j, j) : k * d + j)]!
  for (let j = 0; j < d; j++) {
    mean[j]! /= weight
    const value = variance[j]! / weight - mean[j]! ** 2
    // What rounding of x − c leaves of a constant feature is not a variance.
    const noise = 1e-24 * (reference[j] === 0 ? 1 : reference[j]! ** 2)
    variance[j] = value > noise && value < Infinity ? value : 1
  }
  return { weight, mean, variance }
}

function isStarved(layout: GaussianLayout, statistics: Statistics, k: number, weight: number): boolean {
  const { columns: d, packed, first, second, covariance } = layout
  if (!(statistics[k]! > OCCUPANCY_FLOOR * weight)) return true
  for (let j = 0; j < d; j++) {
    if (!Number.isFinite(statistics[first + k * d + j]!)) return true
    if (covariance === 'tied') continue
    const place = second + (layout.triangular ? k * packed + packedIndex(j, j) : k * d + j)
    if (!Number.isFinite(statistics[place]!)) return true
  }
  return false
}

/**
 * M-step of every covariance type, maximum likelihood or MAP under a Normal-Inverse-Wishart prior centred at the overall
 * mean and (diagonal) variance v of these statistics (Murphy 2012, §4.6.3.2, eq. 4.215–4.217 with ν0 counted in pseudo-events):
 * μ_k = (s1 + κ0 m0)/(s0 + κ0), Σ_k = (S_k + κ0 s0/(κ0+s0) (x̄−m0)(x̄−m0)ᵀ + ν0 diag(v))/(s0 + ν0).
 * A kernel does what it can of it; the components it leaves are estimated here.
 * @param only components of full, diagonal, spherical and factor covariance that alone are estimated
 * @param into as `Family.maximise` has it
 */
export function maximiseGaussian(
  layout: GaussianLayout,
  statistics: Statistics,
  prior: Prior,
  previous: Parameters,
  only: ComponentRange = { from: 0, to: layout.components },
  into?: Parameters,
  kernel?: GaussianKernel,
): Parameters {
  const { columns: d, first } = layout
  const reference = previous.reference!
  const estimates =
    kernel?.maximise(layout, statistics, prior, previous, only, into) ?? unestimated(layout, previous, only, into)
  const { means, left } = estimates
  if (left.length > 0) {
    const overall = overallMoments(layout, statistics, reference)
    if (!(overall.weight > 0 && overall.weight < Infinity)) return previous
    const kappa = prior.meanPseudoEvents
    const occupied = left.filter(k => !isStarved(layout, statistics, k, overall.weight))
    for (const k of occupied) {
      const weight = statistics[k]!
      for (let j = 0; j < d; j++) {
        const deviation = (statistics[first + k * d + j]! + kappa * overall.mean[j]!) / (weight + kappa)
        means[k * d + j] = reference[j]! + deviation
      }
    }
    const estimate = { layout, statistics, prior, previous, overall, occupied, estimates }
    if (layout.covariance === 'tied') return { means, ...tied(estimate), reference }
    if (layout.triangular) return { means, ...triangles(estimate), reference }
    variances(estimate)
  }
  const { covariances, precisionsCholesky, logDeterminants } = estimates
  return { means, covariances, precisionsCholesky, logDeterminants, reference }
}

/** Copies of the previous parameters, every component left to do. */
function unestimated(
  { covariance, components }: GaussianLayout,
  previous: Parameters,
  only: ComponentRange,
  into: Parameters | undefined,
): Estimates {
  const copy = (name: string): Float64Array => {
    const array = previous[name]!
    if (into === undefined || covariance === 'tied') return array.slice()
    copyComponents(into[name]!, array, components, only)
    return into[name]!
  }
  return {
    means: copy('means'),
    covariances: copy('covariances'),
    precisionsCholesky: copy('precisionsCholesky'),
    logDeterminants: copy('logDeterminants'),
    left: Array.from({ length: only.to - only.from }, (_, i) => only.from + i),
  }
}

interface Estimate {
  readonly layout: GaussianLayout
  readonly statistics: Statistics
  readonly prior: Prior
  readonly previous: Parameters
  readonly overall: Overall
  /** the components to estimate */
  readonly occupied: readonly number[]
  /** written to */
  readonly estimates: Estimates
}

/** Scatter of component k about its own mean plus the prior's, before division: entry (i, j). */
function scatterAt(estimate: Estimate, k: number, second: number, i: number, j: number): number {
  const { layout, statistics, prior, overall } = estimate
  const { columns: d, first } = layout
  const weight = statistics[k]!
  const kappa = prior.meanPseudoEvents
  const mi = statistics[first + k * d + i]! / weight
  const mj = statistics[first + k * d + j]! / weight
  let value = second - weight * mi * mj
  if (kappa > 0) value += ((kappa * weight) / (kappa + weight)) * (mi - overall.mean[i]!) * (mj - overall.mean[j]!)
  if (i === j) value += prior.covariancePseudoEvents * overall.variance[i]!
  return value
}

function triangles(estimate: Estimate): Parameters {
  const { layout, statistics, prior, previous, overall, occupied, estimates } = estimate
  const { columns: d, packed, second, factors } = layout
  const { covariances, precisionsCholesky, logDeterminants } = estimates
  const loadings = layout.covariance === 'factor' ? previous.loadings!.slice() : undefined
  const noiseVariances = layout.covariance === 'factor' ? previous.noiseVariances!.slice() : undefined
  const lower = new Float64Array(packed)
  const floor = prior.varianceFloor
  for (const k of occupied) {
    const covariance = covariances.subarray(k * packed, (k + 1) * packed)
    const weight = statistics[k]! + prior.covariancePseudoEvents
    for (let i = 0, t = 0; i < d; i++)
      for (let j = 0; j <= i; j++, t++)
        covariance[t] = scatterAt(estimate, k, statistics[second + k * packed + t]!, i, j) / weight
    if (loadings !== undefined && noiseVariances !== undefined) {
      const lambda = loadings.subarray(k * d * factors, (k + 1) * d * factors)
      const noise = noiseVariances.subarray(k * d, (k + 1) * d)
      improveFactors(covariance, lambda, noise, overall.variance, floor)
      factorCovariance(lambda, noise, covariance)
    }
    // A factor covariance has its floor in Ψ; it is only factored here.
    const ownFloor = loadings === undefined ? floor : 0
    logDeterminants[k] = regulariseCovariance(
      covariance,
      overall.variance,
      ownFloor,
      precisionsCholesky,
      k * packed,
      lower,
    )
  }
  const common = { covariances, precisionsCholesky, logDeterminants }
  return loadings === undefined ? common : { ...common, loadings, noiseVariances: noiseVariances! }
}

function tied(estimate: Estimate): Parameters {
  const { layout, statistics, prior, overall } = estimate
  const { components, columns: d, packed, first, second } = layout
  const covariances = statistics.slice(second, second + packed)
  const kappa = prior.meanPseudoEvents
  for (let k = 0; k < components; k++) {
    const weight = statistics[k]!
    if (!(weight > 0)) continue
    const shrink = (kappa * weight) / (kappa + weight)
    for (let i = 0, t = 0; i < d; i++) {
      const mi = statistics[first + k * d + i]! / weight
      for (let j = 0; j <= i; j++, t++) {
        const mj = statistics[first + k * d + j]! / weight
        covariances[t]! -= weight * mi * mj
        if (kappa > 0) covariances[t]! += shrink * (mi - overall.mean[i]!) * (mj - overall.mean[j]!)
      }
    }
  }
  const weight = overall.weight + prior.covariancePseudoEvents
  for (let i = 0, t = 0; i < d; i++)
    for (let j = 0; j <= i; j++, t++)
      covariances[t] = (covariances[t]! + (i === j ? prior.covariancePseudoEvents * overall.variance[i]! : 0)) / weight
  if (!covariances.every(Number.isFinite)) {
    const { covariances, precisionsCholesky, logDeterminants } = estimate.previous
    return { covariances: covariances!, precisionsCholesky: precisionsCholesky!, logDeterminants: logDeterminants! }
  }
  const precisionsCholesky = new Float64Array(packed)
  const lower = new Float64Array(packed)
  const value = regulariseCovariance(covariances, overall.variance, prior.varianceFloor, precisionsCholesky, 0, lower)
  return { covariances, precisionsCholesky, logDeterminants: new Float64Array(components).fill(value) }
}

/** Writes the estimates of diagonal and spherical components. */
function variances(estimate: Estimate): void {
  const { layout, statistics, prior, overall, occupied, estimates } = estimate
  const { columns: d, second } = layout
  const { covariances, precisionsCholesky, logDeterminants } = estimates
  const spherical = layout.covariance === 'spherical'
  for (const k of occupied) {
    const weight = statistics[k]! + prior.covariancePseudoEvents
    let mean = 0
    let meanOverall = 0
    for (let j = 0; j < d; j++) {
      const variance = scatterAt(estimate, k, statistics[second + k * d + j]!, j, j) / weight
      if (!spherical) covariances[k * d + j] = regulariseVariance(variance, overall.variance[j]!, prior.varianceFloor)
      mean += variance / d
      meanOverall += overall.variance[j]! / d
    }
    if (spherical) covariances[k] = regulariseVariance(mean, meanOverall, prior.varianceFloor)
    const size = spherical ? 1 : d
    let logDeterminant = 0
    for (let i = k * size; i < (k + 1) * size; i++) {
      precisionsCholesky[i] = 1 / Math.sqrt(covariances[i]!)
      logDeterminant += Math.log(precisionsCholesky[i]!)
    }
    logDeterminants[k] = spherical ? d * logDeterminant : logDeterminant
  }
}
