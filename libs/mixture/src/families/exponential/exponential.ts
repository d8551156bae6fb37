import { independentColumns } from '../discrete/independent-columns.ts'
import type { LevelledFamily } from '../discrete/levels.ts'

/** A mean is held at or above this, so that components of zeros alone keep a finite density. */
const LEAST_MEAN = 1e-10

/** Sums of squares of more would leave f64. */
const LARGEST = 1e150

/**
 * Columns of waiting times and other sizes from 0 on, independent given the component: p(x) = e^(−x/β)/β.
 * Parameters: `scales` β (K, d), the means. Statistics: see `independentColumns`. Negative numbers count as missing.
 */
export function exponential(options: { readonly components: number; readonly columns: number }): LevelledFamily {
  return independentColumns(
    {
      name: 'exponential',
      parameter: 'scales',
      variance: mean => mean ** 2,
      hold: mean => Math.max(mean, LEAST_MEAN),
      slope: mean => -1 / mean,
      offset: mean => -Math.log(mean),
      bases(values, length, out) {
        for (let i = 0; i < length; i++) out[i] = values[i]! >= 0 && values[i]! <= LARGEST ? 0 : Number.NaN
      },
    },
    options.components,
    options.columns,
  )
}
