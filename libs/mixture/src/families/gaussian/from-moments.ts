import { packedIndex } from '../../numerics/packed.ts'
import type { Parameters } from '../family.ts'
import { factorCovariance, improveFactors } from './factor-analysis.ts'
import { type GaussianOptions, gaussianLayout } from './layout.ts'
import { regulariseCovariance, regulariseVariance } from './regularise.ts'

/** EM rounds that find Λ and Ψ of a given covariance. */
const FACTOR_ROUNDS = 250

/**
 * A gaussian family's parameters from means and covariances in model units.
 * @param means shape (K, d)
 * @param covariances in the family's packing (see `gaussian`); where absent, `initial`'s
 * @param initial from the family's `initial`: gives the reference point and, as a unit for jitter, the overall variances
 */
export function gaussianFromMoments(
  options: GaussianOptions,
  means: Float64Array,
  covariances: Float64Array | undefined,
  initial: Parameters,
): Parameters {
  const layout = gaussianLayout(options)
  const { components, columns: d, packed, triangular } = layout
  const { reference } = initial as { reference: Float64Array }
  if (covariances === undefined) return { ...initial, means }
  const overall = Float64Array.from({ length: d }, (_, j) => {
    const place = triangular ? packedIndex(j, j) : layout.covariance === 'diag' ? j : 0
    return initial.covariances![place]!
  })
  const precisionsCholesky = new Float64Array(covariances.length)
  const logDeterminants = new Float64Array(components)
  if (!triangular) {
    const held = covariances.map((v, i) => regulariseVariance(v, overall[i % d]!, 0))
    for (let i = 0; i < held.length; i++) precisionsCholesky[i] = 1 / Math.sqrt(held[i]!)
    for (let k = 0; k < components; k++)
      for (let j = 0; j < d; j++)
        logDeterminants[k]! += Math.log(precisionsCholesky[layout.covariance === 'diag' ? k * d + j : k]!)
    return { means, covariances: held, precisionsCholesky, logDeterminants, reference }
  }
  const held = covariances.slice()
  const lower = new Float64Array(packed)
  const blocks = layout.covariance === 'tied' ? 1 : components
  const loadings = new Float64Array(components * d * layout.factors)
  const noiseVariances = new Float64Array(components * d)
  for (let k = 0; k < blocks; k++) {
    const covariance = held.subarray(k * packed, (k + 1) * packed)
    if (layout.covariance === 'factor') {
      const lambda = loadings.subarray(k * d * layout.factors, (k + 1) * d * layout.factors)
      const noise = noiseVariances.subarray(k * d, (k + 1) * d)
      for (let round = 0; round < FACTOR_ROUNDS; round++) improveFactors(covariance, lambda, noise, overall, 0)
      factorCovariance(lambda, noise, covariance)
    }
    logDeterminants[k] = regulariseCovariance(covariance, overall, 0, precisionsCholesky, k * packed, lower)
  }
  if (layout.covariance === 'tied') logDeterminants.fill(logDeterminants[0]!)
  const common = { means, covariances: held, precisionsCholesky, logDeterminants, reference }
  return layout.covariance === 'factor' ? { ...common, loadings, noiseVariances } : common
}
