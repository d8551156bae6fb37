import { logFactorial } from '../../numerics/special.ts'
import type { LevelledFamily } from '../discrete/levels.ts'
import { type CountDistribution, type CountOptions, countColumns } from './count-columns.ts'
import { bestSize, LARGEST_SIZE, logRising, logRisings, SIZES } from './size-grid.ts'

/** A mean is held at or above this, so that a first event is unlikely, not impossible. */
const LEAST_MEAN = 1e-10

/** Places of the statistics. */
const [WEIGHT, SUM, EXPOSURE, RISINGS] = [0, 1, 2, 3]

/**
 * Columns of counts that scatter more than Poisson's, independent given the component: Poisson of a rate that itself follows a Gamma distribution
 * of shape r, p(x) = Γ(x+r)/(Γ(r) x!) (r/(r+μ))^r (μ/(r+μ))^x, of mean μ and variance μ + μ²/r.
 * Parameters: `means` μ (K, d), `sizes` r (K, d), held in [1/64, 16384].
 * Statistics, see `countColumns`: Σ r, Σ r x, Σ r e, and Σ r log(Γ(x+s)/(Γ(s) s^x)) for each size s of a fixed grid (`SIZES`). They are free of
 * parameters and add up; with them the likelihood of every size of the grid is exact, so that the M-step is the maximum over sizes (of moments it
 * would be far from it where r < 1; with the Gamma rate as latent it would take hundreds of steps where r is large).
 */
export function negativeBinomial(options: CountOptions): LevelledFamily {
  return countColumns(distribution(), options)
}

function distribution(): CountDistribution {
  const G = SIZES.length
  const risings = new Float64Array(G)
  const likelihoods = new Float64Array(G)
  let [x, e] = [0, 1]
  return {
    name: 'negative-binomial',
    arrays: ['means', 'sizes'],
    statistics: RISINGS + G,
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
      logRisings(x, risings)
    },

    add(into, to, r) {
      into[to + WEIGHT]! += r
      into[to + SUM]! += r * x
      into[to + EXPOSURE]! += r * e
      // Of 0 and 1 all of them are 0.
      if (x > 1) for (let g = 0; g < G; g++) into[to + RISINGS + g]! += r * risings[g]!
    },

    maximise(statistics, from, { meanPseudoEvents: pseudo }, overall, [means, sizes], at) {
      const weight = statistics[from + WEIGHT]!
      const sum = statistics[from + SUM]!
      const exposure = statistics[from + EXPOSURE]! + pseudo * overall.exposure
      const mean = Math.max((sum + pseudo * overall.exposure * overall.mean) / exposure, LEAST_MEAN)
      for (let g = 0; g < G; g++) {
        const size = SIZES[g]!
        likelihoods[g] = statistics[from + RISINGS + g]! - (sum + size * weight) * Math.log1p(mean / size)
      }
      means![at] = mean
      sizes![at] = bestSize(likelihoods)
    },
  }
}
