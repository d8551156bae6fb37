import type { ModelSpecification } from '@eddy/mixture'
import { localEStep, type ThreadedEStep, threadedEStep } from '@eddy/stepwise-em'
import type { Configuration } from '../configuration.ts'

/** From this cost of a mini-batch on (some 5 ms) it is worth handing over, and would be felt by heartbeats and HTTP. */
const worthThreads = 2 ** 26

/**
 * Threads of the E-step: as configured; else none for a small model and two for a large one. The cores of the machine are
 * not looked at, so that a model that moves to another machine goes on in the same bits.
 * @returns 0 for the calling thread
 */
export function threadsOf({ model }: Pick<Configuration, 'model'>, { features }: ModelSpecification): number {
  if (model.threads !== undefined) return model.threads
  const d = features.length
  const perComponent = model.covariance === 'diag' || model.covariance === 'spherical' ? d : d * d
  return model.batchSize * model.components * perComponent < worthThreads ? 0 : 2
}

/** The E-step as configured; to be closed. */
export function openEStep(
  configuration: Pick<Configuration, 'model'>,
  specification: ModelSpecification,
): ThreadedEStep {
  const threads = threadsOf(configuration, specification)
  return threads === 0
    ? { eStep: localEStep(), close: async () => {} }
    : threadedEStep(threads, configuration.model.kernel)
}
