import type { Block } from '../../families/block.ts'
import { empty, type Parameters, scale } from '../../families/family.ts'
import { perUnitWeight } from '../../families/prior.ts'
import { indexOfLargest } from '../../numerics/index-of-largest.ts'
import type { Mixture } from '../mixture.ts'
import { assignNearest, moveCentres, relocateEmpty } from '../nearest-centre.ts'
import { type Estimator, type IterationOptions, iterate } from './estimator.ts'

/**
 * k-means (Lloyd 1982): the limit of hard EM with equal weights and one spherical covariance that shrinks to nothing.
 * Distances are Euclidean in model space. A cluster that has lost all its events gets the one that is furthest from its own centre. The
 * parameters are those of a mixture by one M-step on the final clusters, and `centres` (K, d): by them the nearest centre is an event's
 * component. Objective: minus the mean squared distance to the nearest centre (scikit-learn's `inertia_` an event).
 */
export function kMeans(options: IterationOptions): Estimator {
  return {
    name: 'kmeans',
    isDistance: true,
    fit(mixture, block, weights, start) {
      const { components } = mixture.inner
      const centres = startingCentres(mixture, block, weights, start.parameters)
      const responsibilities = new Float64Array(block.rows * components)
      const assign = (): number => assignNearest(block, weights, centres, components, responsibilities)
      let weight = 0
      const fit = iterate(options, start.parameters, parameters => {
        const inertia = assign()
        relocateEmpty(block, centres, components, responsibilities)
        moveCentres(block, responsibilities, centres, components)
        const statistics = empty(mixture)
        mixture.inner.observe(statistics, block, responsibilities, parameters)
        weight = 0
        for (let k = 0; k < components; k++) weight += statistics[k]!
        scale(statistics, 1 / weight)
        return {
          parameters: mixture.maximise(statistics, perUnitWeight(options.prior, weight), parameters),
          statistics,
          objective: -inertia / weight,
        }
      })
      return { ...fit, parameters: { ...fit.parameters, centres }, lowerBound: -assign() / weight }
    },
  }
}

/** Centres that were found before; else the means of gaussian components; for other families the means of the events each component is most probable for. */
function startingCentres(
  mixture: Mixture,
  block: Block,
  weights: Float64Array | undefined,
  parameters: Parameters,
): Float64Array {
  const { components } = mixture.inner
  const size = components * block.columns
  if (parameters.centres?.length === size) return parameters.centres.slice()
  if (parameters.means?.length === size) return parameters.means.slice()
  const posterior = new Float64Array(block.rows * components)
  mixture.score(parameters, block, posterior, new Float64Array(block.rows))
  for (let n = 0; n < block.rows; n++) {
    const k = indexOfLargest(posterior, n * components, components)
    posterior.fill(0, n * components, (n + 1) * components)
    posterior[n * components + k] = weights?.[n] ?? 1
  }
  const centres = new Float64Array(size)
  moveCentres(block, posterior, centres, components)
  return centres
}
