import type { Estimator } from '../em/estimators/estimator.ts'
import { type Block, rowsOf } from '../families/block.ts'
import type { Parameters } from '../families/family.ts'
import type { Random } from '../numerics/random.ts'
import { warmUp } from '../start/warm-up.ts'
import { createMixture } from './create-mixture.ts'
import type { ModelSpecification } from './specification.ts'
import { specifiedModel } from './specified-model.ts'
import { applyTransform } from './transform.ts'

/** A fitted mixture: its form, its parameters (the transform's included) and how it was found. */
export interface Model {
  readonly specification: ModelSpecification
  readonly parameters: Parameters
  /** mean log-likelihood of the last E-step, nats per unit weight, user's units */
  readonly lowerBound: number
  readonly converged: boolean
  readonly iterations: number
  /** one-pass estimators: mean log p of each event before it was learned, nats per unit weight, user's units */
  readonly prequentialLogLikelihood?: number
}

/** Posterior and log density of events. */
export interface Scores {
  /** shape (rows, K) */
  readonly posterior: Float64Array
  /** shape (rows): log p(x) in nats, user's units */
  readonly logDensity: Float64Array
}

export interface FitModelOptions {
  readonly estimator: Estimator
  readonly random: Random
  /** starting parameters with the transform's arrays; by default the warm-up on the first `warmUp.events` events */
  readonly start?: Parameters
}

/**
 * Fits a model to events in the user's units.
 * @param block shape (rows ≥ 1, d), NaN where missing
 * @throws if there are no rows
 */
export function fitModel(
  specification: ModelSpecification,
  block: Block,
  weights: Float64Array | undefined,
  options: FitModelOptions,
): Model {
  const mixture = createMixture(specification)
  const head = Math.min(block.rows, specification.warmUp.events)
  const start =
    options.start === undefined
      ? warmUp(specification, rowsOf(block, 0, head), weights?.subarray(0, head), options.random)
      : { parameters: options.start }
  const { block: transformed, logJacobian } = applyTransform(specification, start.parameters, block)
  let jacobian = 0
  let weight = 0
  for (let n = 0; n < block.rows; n++) {
    const w = weights?.[n] ?? 1
    weight += w
    jacobian += w * logJacobian[n]!
  }
  const fit = options.estimator.fit(mixture, transformed, weights, start)
  return {
    specification,
    parameters: fit.parameters,
    lowerBound: fit.lowerBound + jacobian / weight,
    converged: fit.converged,
    iterations: fit.iterations,
    ...(fit.prequentialLogLikelihood === undefined
      ? {}
      : { prequentialLogLikelihood: fit.prequentialLogLikelihood + jacobian / weight }),
  }
}

/** Posterior and log density of events in the user's units. */
export function scoreModel(model: Pick<Model, 'specification' | 'parameters'>, block: Block): Scores {
  const { specification, parameters } = model
  const posterior = new Float64Array(block.rows * specification.components)
  const logDensity = new Float64Array(block.rows)
  specifiedModel(specification).score(parameters, block, posterior, logDensity)
  return { posterior, logDensity }
}
