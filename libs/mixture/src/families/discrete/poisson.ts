import { logFactorial } from '../../numerics/special.ts'
import type { CountOptions } from '../counts/count-columns.ts'
import { LEAST_RATE, poissonRates } from '../counts/poisson-rates.ts'
import type { Family } from '../family.ts'
import { independentColumns } from './independent-columns.ts'

/** Counts beyond this are not counts of anything; they would also lose their last digits. */
const LARGEST_COUNT = 2 ** 53

/**
 * Columns of counts 0, 1, 2 …, independent given the component: p(x) = λ^x e^−λ / x!.
 * Parameters: `rates` λ (K, d), events per observation, or per unit of exposure (`poissonRates`). Statistics: see `independentColumns`. Negative numbers count as
 * missing; fractions are allowed (x! is Γ(x+1)).
 */
export function poisson(options: CountOptions): Family {
  if ((options.exposed ?? []).length > 0) return poissonRates(options)
  return independentColumns(
    {
      name: 'poisson',
      parameter: 'rates',
      variance: mean => mean,
      hold: mean => Math.max(mean, LEAST_RATE),
      slope: Math.log,
      offset: mean => -mean,
      bases(values, length, out) {
        for (let i = 0; i < length; i++) {
          const x = values[i]!
          out[i] = x >= 0 && x <= LARGEST_COUNT ? -logFactorial(x) : Number.NaN
        }
      },
    },
    options.components,
    options.columns,
  )
}
