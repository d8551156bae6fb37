import { cachedModel, type Parameters, type Prior, type Statistics } from '@eddy/mixture'
import type { ModelOfSnapshot } from './e-step.ts'

/** The parameters that statistics lead to, after those of a snapshot. Asynchronous, so that it may run on other threads. */
export type MStep = (previous: ModelOfSnapshot, statistics: Statistics, prior: Prior) => Promise<Parameters>

/** The M-step on the calling thread. */
export function localMStep(): MStep {
  const modelOf = cachedModel()
  return async ({ specification, parameters }, statistics, prior) =>
    modelOf(specification).mixture.maximise(statistics, prior, parameters)
}
