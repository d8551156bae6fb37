import { empty, scale } from '../../families/family.ts'
import { perUnitWeight } from '../../families/prior.ts'
import { type Estimator, type IterationOptions, iterate } from './estimator.ts'

/**
 * Batch EM (Dempster, Laird & Rubin 1977): every iteration takes the statistics of all events, then one M-step.
 * The (penalised) likelihood never falls. Objective: mean log-likelihood.
 */
export function batchEm(options: IterationOptions): Estimator {
  return {
    name: 'batch',
    fit: (mixture, block, weights, start) =>
      iterate(options, start.parameters, parameters => {
        const statistics = empty(mixture)
        const { logLikelihood, weight } = mixture.expectation(parameters, block, weights, statistics)
        scale(statistics, 1 / weight)
        return {
          parameters: mixture.maximise(statistics, perUnitWeight(options.prior, weight), parameters),
          statistics,
          objective: logLikelihood / weight,
        }
      }),
  }
}
