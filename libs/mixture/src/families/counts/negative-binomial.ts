import { logFactorial } from '../../numerics/special.ts'
import type { Family } from '../family.ts'
import { type CountDistribution, type CountOptions, countColumns } from './count-columns.ts'
import { bestSize, LARGEST_SIZE, logRising, logRisings, SIZES, valueAtSize } from './size-grid.ts'

/** A mean is held at or above this, so that a first event is unlikely, not impossible. */
const LEAST_MEAN = 1e-10

const LOG_SIZES = SIZES.map(Math.log)

/** Places of the statistics. */
const [WEIGHT, SUM, EXPOSURE, RISINGS] = [0, 1, 2, 3]

/**
 * Columns of counts that scatter more than Poisson's, independent given the component: Poisson of a rate that itself follows a Gamma distribution
 * of shape r, p(x) = Γ(x+r)/(Γ(r) x!) (r/(r+μ))^r (μ/(r+μ))^x, of mean μ and variance μ + μ²/r.
 * Parameters: `means` μ (K, d), `sizes` r (K, d), held in [1/64, 16384].
 * Statistics, see `countColumns`: Σ r, Σ r x, Σ r e, and Σ r log(Γ(x+s)/(Γ(s) s^x)) for each size s of a fixed grid (`SIZES`). They are free of
 * parameters and add up; with them the likelihood of every size of the grid is exact, so that the M-step is the maximum over sizes (of moments it
 * would be far from it where r < 1; with the Gamma rate as latent it would take hundreds of steps where r is large).
 * Under exposures e what a size is worth depends on the mean too, so that the M-step is two conditional maximisations, each of which cannot lower the
 * likelihood: the best size at the mean of the E-step, by Σ r (x+s) log(1 + μe/s) of each s; then the mean at that size. There the likelihood is
 * Σ r (xθ − (x+s) log(1 + e^t)), θ = log μ, t = θ + log(e/s), and log(1 + e^t) ≤ t/2 + λ(ξ) t² + const with λ(ξ) = tanh(ξ/2)/(4ξ) and ξ the t of the E-step
 * (Jaakkola & Jordan 2000): a parabola in θ, of which Σ r (x+s) 2λ and Σ r (x+s) 2λ log(e/s) are kept for each s.
 */
export function negativeBinomial(options: CountOptions): Family {
  return countColumns(distribution((options.exposed ?? []).length > 0), options)
}

function distribution(exposed: boolean): CountDistribution {
  const G = SIZES.length
  const LOGS = RISINGS + G
  const CURVATURES = LOGS + G
  const PULLS = CURVATURES + G
  const risings = new Float64Array(G)
  const values = new Float64Array(G)
  let [x, e, logExposure] = [0, 1, 0]
  return {
    name: 'negative-binomial',
    arrays: ['means', 'sizes'],
    statistics: RISINGS + (exposed ? 4 : 1) * G,
    start: mean => [Math.max(mean, LEAST_MEAN), LARGEST_SIZE],
    moments: ([mean, size]) => ({ mean: mean!, variance: mean! + mean! ** 2 / size! }),

    logProbability([means, sizes], at, x, e) {
      const mean = means![at]! * e
      const size = sizes![at]!
      return (
        logRising(x, size) - logFactorial(x) + (x === 0 ? 0 : x * Math.log(mean)) - (x + size) * Math.log1p(mean / size)
      )
    },

    value(count, exposure) {
      x = count
      e = exposure
      logExposure = Math.log(exposure)
      logRisings(x, risings)
    },

    add(into, to, r, [means], at) {
      into[to + WEIGHT]! += r
      into[to + SUM]! += r * x
      into[to + EXPOSURE]! += r * e
      // Of 0 and 1 all of them are 0.
      if (x > 1) for (let g = 0; g < G; g++) into[to + RISINGS + g]! += r * risings[g]!
      if (!exposed) return
      const expected = means![at]! * e
      const logExpected = Math.log(expected)
      for (let g = 0; g < G; g++) {
        const size = SIZES[g]!
        const scatter = r * (x + size)
        const t = logExpected - LOG_SIZES[g]!
        const curvature = scatter * (Math.abs(t) < 1e-6 ? 0.25 : (expected - size) / (expected + size) / (2 * t))
        into[to + LOGS + g]! += scatter * Math.log1p(expected / size)
        into[to + CURVATURES + g]! += curvature
        into[to + PULLS + g]! += curvature * (logExposure - LOG_SIZES[g]!)
      }
    },

    maximise(statistics, from, { meanPseudoEvents: pseudo }, overall, [means, sizes], at) {
      const weight = statistics[from + WEIGHT]!
      const sum = statistics[from + SUM]!
      const exposure = statistics[from + EXPOSURE]!
      const pulled = (mean: number) => {
        const added = pseudo * overall.exposure
        return Math.max((mean * exposure + added * overall.mean) / (exposure + added), LEAST_MEAN)
      }
      if (!exposed) means![at] = pulled(sum / exposure)
      for (let g = 0; g < G; g++) {
        const size = SIZES[g]!
        const logs = exposed ? statistics[from + LOGS + g]! : (sum + size * weight) * Math.log1p(means![at]! / size)
        values[g] = statistics[from + RISINGS + g]! - logs
      }
      const size = bestSize(values)
      sizes![at] = size
      if (!exposed) return
      for (let g = 0; g < G; g++)
        values[g] =
          ((sum - SIZES[g]! * weight) / 2 - statistics[from + PULLS + g]!) / statistics[from + CURVATURES + g]!
      means![at] = pulled(sum > 0 ? Math.exp(valueAtSize(values, size)) : 0)
    },
  }
}
