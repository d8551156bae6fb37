import { logFactorial } from '../../numerics/special.ts'
import type { Family } from '../family.ts'
import { type CountDistribution, type CountOptions, countColumns } from './count-columns.ts'

/** A rate is held at or above this, so that a first event is unlikely, not impossible. */
const LEAST_RATE = 1e-10

/** A share is held this far from 0 and 1, so that what was never seen is unlikely, not impossible. */
const LEAST_SHARE = 1e-12

/** Places of the statistics: Σ r z is of zeros that are no counts, Σ r (1−z) e is the exposure of those that could count. */
const [WEIGHT, SUM, EXPOSURE, ZEROS, COUNTING] = [0, 1, 2, 3, 4]

/**
 * Columns of counts with more zeros than Poisson's, independent given the component: with probability φ nothing can be counted (z = 1), else x is
 * Poisson of rate λ: p(0) = φ + (1−φ) e^(−λ), p(x) = (1−φ) λ^x e^(−λ)/x! (Lambert 1992). Mean (1−φ) λ.
 * Parameters: `rates` λ (K, d), `zeros` φ (K, d). Statistics, see `countColumns`: Σ r, Σ r x, Σ r e, Σ r z, Σ r (1−z) e, with the expected z of a 0.
 */
export function zeroInflated(options: CountOptions): Family {
  return countColumns(distribution(), options)
}

function distribution(): CountDistribution {
  let [x, e] = [0, 1]
  return {
    name: 'zero-inflated',
    arrays: ['rates', 'zeros'],
    statistics: 5,
    // In the middle, from where EM goes to either side.
    start: mean => [Math.max(2 * mean, LEAST_RATE), 0.5],
    moments([rate, zeros]) {
      const mean = (1 - zeros!) * rate!
      return { mean, variance: mean * (1 + zeros! * rate!) }
    },

    logProbability([rates, zeros], at, x, e) {
      const rate = rates![at]! * e
      const share = zeros![at]!
      // log(φ + (1−φ) e^−λ), exact for small λ too.
      if (x === 0) return Math.log1p((1 - share) * Math.expm1(-rate))
      return Math.log1p(-share) + x * Math.log(rate) - rate - logFactorial(x)
    },

    value(count, exposure) {
      x = count
      e = exposure
    },

    add(into, to, r, [rates, zeros], at) {
      const share = zeros![at]!
      const z = x === 0 ? share / (1 + (1 - share) * Math.expm1(-rates![at]! * e)) : 0
      into[to + WEIGHT]! += r
      into[to + SUM]! += r * x
      into[to + EXPOSURE]! += r * e
      into[to + ZEROS]! += r * z
      into[to + COUNTING]! += r * (1 - z) * e
    },

    maximise(statistics, from, { meanPseudoEvents: pseudo }, overall, [rates, zeros], at) {
      const share = statistics[from + ZEROS]! / statistics[from + WEIGHT]!
      zeros![at] = Math.min(Math.max(share, LEAST_SHARE), 1 - LEAST_SHARE)
      const added = pseudo * overall.exposure
      const rate = (statistics[from + SUM]! + added * overall.mean) / (statistics[from + COUNTING]! + added)
      if (Number.isFinite(rate)) rates![at] = Math.max(rate, LEAST_RATE)
    },
  }
}
