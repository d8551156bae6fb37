import type { Block } from '../families/block.ts'
import { empty, type Parameters } from '../families/family.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { createMixture } from '../model/create-mixture.ts'
import type { ModelSpecification } from '../model/specification.ts'

/**
 * One M-step from given responsibilities (rows, K), event weights included. Covariances are shrunk towards the overall variance by d
 * pseudo-events, so that a cluster of a few events does not start as a spike.
 */
export function parametersFromResponsibilities(
  specification: ModelSpecification,
  block: Block,
  weights: Float64Array | undefined,
  responsibilities: Float64Array,
  kernel?: Kernel,
): Parameters {
  const mixture = createMixture(specification, kernel)
  const { prior } = specification
  const initial = mixture.initial(block, weights)
  const statistics = empty(mixture)
  mixture.inner.observe(statistics, block, responsibilities, initial)
  const gentle = {
    weightPseudoEvents: Math.max(prior.weightPseudoEvents, 1),
    meanPseudoEvents: Math.max(prior.meanPseudoEvents, 0.1),
    covariancePseudoEvents: Math.max(prior.covariancePseudoEvents, block.columns),
    varianceFloor: prior.varianceFloor,
  }
  return mixture.maximise(statistics, gentle, initial)
}
