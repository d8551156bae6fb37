import type { ModelSpecification } from '@eddy/mixture'
import { localScore } from '@eddy/scoring'
import { eventCost, localEStep, localMStep, type ModelThreads, modelThreads } from '@eddy/stepwise-em'
import type { Configuration } from '../configuration.ts'

/** From these multiplications in a mini-batch on (some 5 ms) two threads are quicker also where the cores have other work, and one would be felt by heartbeats and HTTP. */
const worthThreads = 2 ** 26

/**
 * Threads of the model's steps: as configured; else none for a small model and two for a large one. The cores of the machine are
 * not looked at, so that a model that moves to another machine goes on in the same bits.
 * @returns 0 for the calling thread
 */
export function threadsOf({ model }: Pick<Configuration, 'model'>, specification: ModelSpecification): number {
  return model.threads ?? (model.batchSize * eventCost(specification) < worthThreads ? 0 : 2)
}

/** All on the calling thread. */
export function localSteps(): ModelThreads {
  return { eStep: localEStep(), mStep: localMStep(), score: localScore(), close: async () => {} }
}

/** E-step, M-step and scoring as configured; to be closed. Threads begin with the first work that is worth them. */
export function openModelSteps(
  configuration: Pick<Configuration, 'model'>,
  specification: ModelSpecification,
): ModelThreads {
  const threads = threadsOf(configuration, specification)
  return threads === 0 ? localSteps() : modelThreads(threads, { kernel: configuration.model.kernel })
}
