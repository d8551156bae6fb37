import { type Block, cachedModel, empty, type Kernel, type Parameters, type Statistics } from '@eddy/mixture'

export interface Expectation {
  /** SUM over the block's events */
  readonly statistics: Statistics
  /** Σ weight · log p(x), nats, in the user's units */
  readonly logLikelihood: number
  readonly weight: number
}

/** What of a snapshot its model is made of. */
export interface ModelOfSnapshot {
  /** its JSON text */
  readonly specification: string
  readonly parameters: Parameters
}

/**
 * Expected sufficient statistics of a block under a snapshot. Asynchronous, so that it may run on another thread; snapshot, block
 * and weights stay as they are until it has ended.
 * @param into written to: the statistics, whatever was there; new ones if absent
 */
export type EStep = (
  snapshot: ModelOfSnapshot,
  block: Block,
  weights: Float64Array,
  into?: Statistics,
) => Promise<Expectation>

/** The E-step on the calling thread. @param kernel default `auto` */
export function localEStep(kernel?: Kernel): EStep {
  const modelOf = cachedModel(kernel)
  return async ({ specification, parameters }, block, weights, into) => {
    const model = modelOf(specification)
    const statistics = into?.fill(0) ?? empty(model.mixture)
    return { statistics, ...model.expectation(parameters, block, weights, statistics) }
  }
}
