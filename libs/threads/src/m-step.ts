import { cachedModel, type Kernel, type Parameters, type Prior, type Statistics } from '@eddy/mixture'
import type { ModelOfSnapshot } from './e-step.ts'
import { renewed } from './shared-parameters.ts'

/**
 * The parameters that statistics lead to, after those of a snapshot. Asynchronous, so that it may run on other threads; snapshot and
 * statistics stay as they are until it has ended.
 * @param into arrays like the snapshot's, in other memory, all written to: the result is new views of them; new memory if absent
 */
export type MStep = (
  previous: ModelOfSnapshot,
  statistics: Statistics,
  prior: Prior,
  into?: Parameters,
) => Promise<Parameters>

/** The M-step on the calling thread. @param kernel default `auto` */
export function localMStep(kernel?: Kernel): MStep {
  const modelOf = cachedModel(kernel)
  return async ({ specification, parameters }, statistics, prior, into) => {
    const estimated = modelOf(specification).mixture.maximise(statistics, prior, parameters, undefined, into)
    if (into === undefined) return estimated
    for (const [name, array] of Object.entries(estimated)) if (array !== into[name]) into[name]!.set(array)
    return renewed(into)
  }
}
