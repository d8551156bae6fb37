import { logFactorial } from '../../numerics/special.ts'
import type { Family } from '../family.ts'
import { type CountDistribution, type CountOptions, countColumns } from './count-columns.ts'

/** A rate is held at or above this, so that a first event is unlikely, not impossible. */
export const LEAST_RATE = 1e-10

/** Places of the statistics. */
const [WEIGHT, SUM, EXPOSURE] = [0, 1, 2]

/**
 * Poisson counts under exposures, independent given the component: p(x) = (λe)^x e^(−λe)/x!. Without exposures `poisson` is the same, and faster.
 * Parameters: `rates` λ (K, d), per unit of exposure. Statistics, see `countColumns`: Σ r, Σ r x, Σ r e.
 */
export function poissonRates(options: CountOptions): Family {
  let [x, e] = [0, 1]
  const distribution: CountDistribution = {
    name: 'poisson',
    arrays: ['rates'],
    statistics: 3,
    start: mean => [Math.max(mean, LEAST_RATE)],
    moments: ([rate]) => ({ mean: rate!, variance: rate! }),
    logProbability([rates], at, x, e) {
      const rate = rates![at]! * e
      return (x === 0 ? 0 : x * Math.log(rate)) - rate - logFactorial(x)
    },
    value(count, exposure) {
      x = count
      e = exposure
    },
    add(into, to, r) {
      into[to + WEIGHT]! += r
      into[to + SUM]! += r * x
      into[to + EXPOSURE]! += r * e
    },
    maximise(statistics, from, { meanPseudoEvents: pseudo }, overall, [rates], at) {
      const added = pseudo * overall.exposure
      const rate = (statistics[from + SUM]! + added * overall.mean) / (statistics[from + EXPOSURE]! + added)
      rates![at] = Math.max(rate, LEAST_RATE)
    },
  }
  return countColumns(distribution, options)
}
