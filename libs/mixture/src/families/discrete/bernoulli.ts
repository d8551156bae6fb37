import { independentColumns } from './independent-columns.ts'
import type { LevelledFamily } from './levels.ts'

/** A probability is held this far from 0 and 1, so that what was never seen is unlikely, not impossible. */
const LEAST_PROBABILITY = 1e-12

/**
 * Columns of 0 or 1, independent given the component: p(x) = p^x (1−p)^(1−x).
 * Parameters: `probabilities` (K, d) of a 1. Statistics: see `independentColumns`. Other values count as missing.
 */
export function bernoulli(options: { readonly components: number; readonly columns: number }): LevelledFamily {
  return independentColumns(
    {
      name: 'bernoulli',
      parameter: 'probabilities',
      variance: mean => mean * (1 - mean),
      hold: mean => Math.min(Math.max(mean, LEAST_PROBABILITY), 1 - LEAST_PROBABILITY),
      slope: mean => Math.log(mean) - Math.log1p(-mean),
      offset: mean => Math.log1p(-mean),
      bases(values, length, out) {
        for (let i = 0; i < length; i++) out[i] = values[i] === 0 || values[i] === 1 ? 0 : Number.NaN
      },
    },
    options.components,
    options.columns,
  )
}
