import { empty, scale } from '../../families/family.ts'
import { perUnitWeight } from '../../families/prior.ts'
import { indexOfLargest } from '../../numerics/index-of-largest.ts'
import { type Estimator, type IterationOptions, iterate } from './estimator.ts'

/**
 * Classification EM (Celeux & Govaert 1992): each event counts wholly for its most probable component.
 * Objective: mean classification log-likelihood Σ log π_k p(x | θ_k) of the chosen components; it never falls.
 */
export function hardEm(options: IterationOptions): Estimator {
  return {
    name: 'hard',
    fit(mixture, block, weights, start) {
      const { inner } = mixture
      const { components } = inner
      const posterior = new Float64Array(block.rows * components)
      const logDensity = new Float64Array(block.rows)
      return iterate(options, start.parameters, parameters => {
        mixture.score(parameters, block, posterior, logDensity)
        let objective = 0
        let weight = 0
        for (let n = 0; n < block.rows; n++) {
          const w = weights?.[n] ?? 1
          weight += w
          const k = indexOfLargest(posterior, n * components, components)
          if (w > 0) objective += w * (logDensity[n]! + Math.log(posterior[n * components + k]!))
          posterior.fill(0, n * components, (n + 1) * components)
          posterior[n * components + k] = w
        }
        const statistics = empty(mixture)
        inner.observe(statistics, block, posterior, parameters)
        scale(statistics, 1 / weight)
        return {
          parameters: mixture.maximise(statistics, perUnitWeight(options.prior, weight), parameters),
          statistics,
          objective: objective / weight,
        }
      })
    },
  }
}
