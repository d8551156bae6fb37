import type { Estimator, Start } from './em/estimators/estimator.ts'
import { type Block, rowsOf } from './families/block.ts'
import type { Parameters } from './families/family.ts'
import type { Kernel } from './kernel/kernel.ts'
import { createMixture } from './model/create-mixture.ts'
import type { Model } from './model/model.ts'
import type { ModelSpecification } from './model/specification.ts'
import { applyTransform } from './model/transform.ts'
import { treated } from './model/treated.ts'
import type { Random } from './numerics/random.ts'
import { reviseFit } from './start/revise-fit.ts'
import { warmUp } from './start/warm-up.ts'

export interface FitModelOptions {
  readonly estimator: Estimator
  readonly random: Random
  /** starting parameters with the transform's arrays; by default the warm-up on the first `warmUp.events` events */
  readonly start?: Parameters
  /** what the work is done by, default `auto` */
  readonly kernel?: Kernel | undefined
}

/**
 * Fits a model to events in the user's units. What is `auto` about a feature is decided on the whole block, unless `treated` did before.
 * @param block shape (rows ≥ 1, d), NaN where missing
 * @throws if there are no rows
 */
export function fitModel(
  declared: ModelSpecification,
  block: Block,
  weights: Float64Array | undefined,
  options: FitModelOptions,
): Model {
  const specification = treated(declared, block, weights)
  const mixture = createMixture(specification, options.kernel)
  const head = Math.min(block.rows, specification.warmUp.events)
  const { estimator, random, kernel } = options
  const warm =
    options.start === undefined
      ? warmUp(specification, rowsOf(block, 0, head), weights?.subarray(0, head), random, kernel)
      : undefined
  const parameters = options.start ?? warm!.parameters
  const transformed = applyTransform(specification, parameters, block)
  const { logJacobian } = transformed
  const start: Start =
    warm === undefined
      ? { parameters }
      : {
          ...warm,
          revise: reviseFit({ specification, mixture, block, weights, transformed, warmUp: warm, random, kernel }),
        }
  const fit = estimator.fit(mixture, transformed.block, weights, start)
  return {
    specification,
    parameters: fit.parameters,
    lowerBound: fit.lowerBound + (options.estimator.isDistance ? 0 : meanFrom(0, logJacobian, weights)),
    converged: fit.converged,
    iterations: fit.iterations,
    ...(fit.prequentialLogLikelihood === undefined
      ? {}
      : {
          prequentialLogLikelihood:
            fit.prequentialLogLikelihood + meanFrom(fit.prequentialFrom ?? 0, logJacobian, weights),
        }),
  }
}

/** Weighted mean of the rows from `first` on. */
function meanFrom(first: number, values: Float64Array, weights: Float64Array | undefined): number {
  let sum = 0
  let weight = 0
  for (let n = first; n < values.length; n++) {
    const w = weights?.[n] ?? 1
    weight += w
    sum += w * values[n]!
  }
  return sum / weight
}
