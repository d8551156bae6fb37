import type { Statistics } from '../family.ts'
import { layOut, view } from './loaded-kernel.ts'
import type { KernelShape } from './shape.ts'

/** What the M-step of full covariances needs besides the statistics; see Prior and maximiseGaussian. */
export interface CovarianceEstimate {
  /** κ0 */
  readonly meanPseudoEvents: number
  /** ν0 */
  readonly covariancePseudoEvents: number
  readonly varianceFloor: number
  /** mean of all events about the reference, shape (d) */
  readonly overallMean: Float64Array
  /** variance of all events, shape (d) */
  readonly overallVariance: Float64Array
  /** 1 for components that keep their parameters, shape (K) */
  readonly starved: Uint8Array
}

/**
 * Covariances, L⁻¹ and log |L⁻¹| of full-covariance components from their statistics, where nothing has to be regularised.
 * @param covariances written to, shape (K, p)
 * @param precisionsCholesky written to, shape (K, p)
 * @param logDeterminants written to, shape (K)
 * @returns 1 for components that are done; the others are untouched (all, where the kernel does not run), shape (K)
 */
export function compiledCovariances(
  shape: KernelShape,
  statistics: Statistics,
  estimate: CovarianceEstimate,
  covariances: Float64Array,
  precisionsCholesky: Float64Array,
  logDeterminants: Float64Array,
): Uint8Array {
  const { components, columns } = shape
  const { meanPseudoEvents, covariancePseudoEvents, varianceFloor } = estimate
  const p = (columns * (columns + 1)) / 2
  const done = new Uint8Array(components)
  const kernel = layOut(shape, 1)
  if (kernel === undefined) return done
  const { exports } = kernel
  view(kernel, exports.statistics.value, statistics.length).set(statistics)
  view(kernel, exports.overallMean.value, columns).set(estimate.overallMean)
  view(kernel, exports.overallVariance.value, columns).set(estimate.overallVariance)
  const covariance = view(kernel, exports.covariances.value, components * p)
  const factors = view(kernel, exports.factors.value, components * p)
  for (let k = 0; k < components; k++) {
    if (estimate.starved[k] === 1) continue
    exports.formCovariance(k, meanPseudoEvents, covariancePseudoEvents)
    const trace = exports.factorise(k)
    // trace ≥ 1/λ_min in units of the overall variance: where it is small, no eigenvalue is below the floor.
    if (!(trace >= 0 && trace * varianceFloor <= 1)) continue
    const from = k * p
    covariances.set(covariance.subarray(from, from + p), from)
    precisionsCholesky.set(factors.subarray(from, from + p), from)
    let logDeterminant = 0
    for (let i = 0, t = from; i < columns; i++) {
      t += i
      logDeterminant += Math.log(factors[t]!)
      t++
    }
    logDeterminants[k] = logDeterminant
    done[k] = 1
  }
  exports.clearStatistics()
  return done
}
