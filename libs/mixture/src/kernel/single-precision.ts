import type { Parameters } from '../families/family.ts'
import type { KernelShape } from './shape.ts'

/** What f32 may change a component's log density by, nats: half of it at most reaches a posterior probability. */
const TOLERANCE = 2e-4
/** Unit roundoff of f32, and how many times it a sum of rounding errors may be. */
const ROUNDOFF = 4 * 2 ** -24
/** Standard deviations, in model units, whose squares and inverses f32 holds with room to spare. */
const [SMALLEST, LARGEST] = [1e-12, 1e12]

const known = new WeakMap<Parameters, number>()

/**
 * The log density (without weight and levels: an event's largest is at most that) from which on f32 will do for an event.
 *
 * y = L⁻¹ (x−c) − L⁻¹ (m−c) is formed of rounded factors and deviations, so that q = ‖y‖² is off by about
 * 2 ε √q ‖(L⁻¹_ij (x_j−c_j))‖_F. With (x_j−c_j)² about (m_j−c_j)² + q σ_j²/d the norm is at most √(A + V q),
 * A = ‖L⁻¹ (m−c)‖² + Σ_ij (L⁻¹_ij (m_j−c_j))² and V = max_j σ_j² (Σ⁻¹)_jj, the largest variance inflation factor: the ratio of a column's variance to
 * what the other columns leave of it (Belsley, Kuh, Welsch 1980, ch. 3). f32 will do up to the q at which ½ of that is `TOLERANCE`.
 * @returns ∞ where f32 will do for hardly any event, or for none
 */
export function leastSingleDensity(shape: KernelShape, parameters: Parameters): number {
  const least = known.get(parameters) ?? computeLeast(shape, parameters)
  known.set(parameters, least)
  return least
}

function computeLeast({ covariance, components, columns: d }: KernelShape, parameters: Parameters): number {
  if (covariance !== 'full') return Infinity
  const { means, covariances, precisionsCholesky, logDeterminants, reference } = parameters
  const p = (d * (d + 1)) / 2
  const precision = new Float64Array(d)
  const limit = (TOLERANCE / ROUNDOFF) ** 2
  let farthest = Infinity
  for (let k = 0, t = 0; k < components; k++) {
    precision.fill(0)
    let offset = 0
    for (let i = 0; i < d; i++) {
      let sum = 0
      for (let j = 0; j <= i; j++, t++) {
        const product = precisionsCholesky![t]! * (means![k * d + j]! - reference![j]!)
        precision[j]! += precisionsCholesky![t]! ** 2
        offset += product ** 2
        sum += product
      }
      offset += sum ** 2
    }
    let inflation = 0
    for (let j = 0; j < d; j++) {
      const variance = covariances![k * p + (j * (j + 3)) / 2]!
      if (!(variance > SMALLEST ** 2 && variance < LARGEST ** 2)) return Infinity
      inflation = Math.max(inflation, variance * precision[j]!)
    }
    // q (A + V q) = limit
    farthest = Math.min(farthest, (2 * limit) / (offset + Math.sqrt(offset ** 2 + 4 * inflation * limit)))
  }
  // Most events of a component have q within d ± 3 √(2 d).
  if (!(farthest > d + 3 * Math.sqrt(2 * d))) return Infinity
  return Math.max(...logDeterminants!) - (d / 2) * Math.log(2 * Math.PI) - farthest / 2
}
