import { type Block, cachedModel, type Kernel, type Scores } from '@eddy/mixture'
import type { ModelOfSnapshot } from './e-step.ts'

/** Posterior and log density of events in the user's units. Asynchronous, so that it may run on other threads. @param into written to */
export type Score = (snapshot: ModelOfSnapshot, block: Block, into: Scores) => Promise<void>

/** Scoring on the calling thread. @param kernel default `auto` */
export function localScore(kernel?: Kernel): Score {
  const modelOf = cachedModel(kernel)
  return async ({ specification, parameters }, block, { posterior, logDensity }) =>
    modelOf(specification).score(parameters, block, posterior, logDensity)
}
