import type { Family } from '../family.ts'
import { independentColumns } from './independent-columns.ts'

/** A probability is held this far from 0 and 1, so that what was never seen is unlikely, not impossible. */
const LEAST_PROBABILITY = 1e-12

/**
 * Columns of 0 or 1, independent given the component: p(x) = p^x (1−p)^(1−x).
 * Parameters: `probabilities` (K, d) of a 1. Statistics: see `independentColumns`. Other values count as missing.
 */
export function bernoulli(options: { readonly components: number; readonly columns: number }): Family {
  return independentColumns(
    {
      name: 'bernoulli',
      parameter: 'probabilities',
      accepts: value => value === 0 || value === 1,
      hold: mean => Math.min(Math.max(mean, LEAST_PROBABILITY), 1 - LEAST_PROBABILITY),
      slope: mean => Math.log(mean) - Math.log1p(-mean),
      offset: mean => Math.log1p(-mean),
      base: () => 0,
    },
    options.components,
    options.columns,
  )
}
