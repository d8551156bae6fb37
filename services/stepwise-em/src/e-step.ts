import type { Snapshot } from '@eddy/messages'
import {
  applyTransform,
  type Block,
  createMixture,
  empty,
  type Mixture,
  type ModelSpecification,
  type Statistics,
} from '@eddy/mixture'

export interface Expectation {
  /** SUM over the block's events */
  readonly statistics: Statistics
  /** Σ weight · log p(x), nats, in the user's units */
  readonly logLikelihood: number
  readonly weight: number
}

/** Expected sufficient statistics of a block under a snapshot. Asynchronous, so that it may run on another thread. */
export type EStep = (snapshot: Snapshot, block: Block, weights: Float64Array) => Promise<Expectation>

/** The E-step on the calling thread. */
export function localEStep(): EStep {
  const modelOf = cachedModel()
  let scratch = { values: new Float64Array(0), logJacobian: new Float64Array(0) }
  return async (snapshot, block, weights) => {
    const { specification, mixture } = modelOf(snapshot)
    if (scratch.logJacobian.length < block.rows || scratch.values.length < block.values.length) {
      scratch = { values: new Float64Array(block.values.length), logJacobian: new Float64Array(block.rows) }
    }
    const transformed = applyTransform(specification, snapshot.parameters, block, scratch)
    const statistics = empty(mixture)
    const { logLikelihood, weight } = mixture.expectation(snapshot.parameters, transformed.block, weights, statistics)
    let jacobian = 0
    for (let n = 0; n < block.rows; n++) jacobian += weights[n]! * transformed.logJacobian[n]!
    return { statistics, logLikelihood: logLikelihood + jacobian, weight }
  }
}

/** A specification and its mixture, which works in model space (see `applyTransform`). */
export interface SpecifiedModel {
  readonly specification: ModelSpecification
  readonly mixture: Mixture
}

/** The model a snapshot specifies, made anew only when the specification changes. */
export function cachedModel(): (snapshot: Pick<Snapshot, 'specification'>) => SpecifiedModel {
  let text: string | undefined
  let model: SpecifiedModel | undefined
  return snapshot => {
    if (model === undefined || snapshot.specification !== text) {
      text = snapshot.specification
      const specification = JSON.parse(text) as ModelSpecification
      model = { specification, mixture: createMixture(specification) }
    }
    return model
  }
}
