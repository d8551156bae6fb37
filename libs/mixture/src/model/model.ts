import type { Block } from '../families/block.ts'
import type { Parameters } from '../families/family.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { ModelSpecification } from './specification.ts'
import { specifiedModel } from './specified-model.ts'

/** A fitted mixture: its form, its parameters (the transform's included) and how it was found. */
export interface Model {
  readonly specification: ModelSpecification
  readonly parameters: Parameters
  /** mean log-likelihood of the last E-step, nats per unit weight, user's units; of k-means minus the mean squared distance, model space */
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

/** Posterior and log density of events in the user's units. */
export function scoreModel(model: Pick<Model, 'specification' | 'parameters'>, block: Block, kernel?: Kernel): Scores {
  const { specification, parameters } = model
  const posterior = new Float64Array(block.rows * specification.components)
  const logDensity = new Float64Array(block.rows)
  specifiedModel(specification, kernel).score(parameters, block, posterior, logDensity)
  return { posterior, logDensity }
}
