import { createKernel, type Kernel, type KernelChoice, type ModelSpecification } from '@eddy/mixture'
import { localEStep } from './e-step.ts'
import { localMStep } from './m-step.ts'
import { eventCost, type ModelThreads, modelThreads } from './model-threads.ts'
import { localScore } from './score.ts'

/** From these multiplications in a mini-batch on (some 5 ms) two threads are quicker also where the cores have other work, and one would be felt by heartbeats and HTTP. */
const worthThreads = 2 ** 26

export interface ModelStepsOptions {
  /** of their own; if absent: what suits the model */
  readonly threads?: number | undefined
  /** events in a mini-batch */
  readonly batchSize: number
  /** what each thread makes for itself */
  readonly kernel: KernelChoice
}

/**
 * Threads of the model's steps: as configured; else none for a small model and two for a large one. The cores of the machine are
 * not looked at, so that a model that moves to another machine goes on in the same bits.
 * @returns 0 for the calling thread
 */
export function threadsOf(
  { threads, batchSize }: Omit<ModelStepsOptions, 'kernel'>,
  specification: ModelSpecification,
): number {
  return threads ?? (batchSize * eventCost(specification) < worthThreads ? 0 : 2)
}

/** All on the calling thread. @param kernel default `auto` */
export function localSteps(kernel: Kernel = createKernel()): ModelThreads {
  return {
    kernel,
    eStep: localEStep(kernel),
    mStep: localMStep(kernel),
    score: localScore(kernel),
    close: async () => {},
  }
}

/**
 * E-step, M-step and scoring as configured; to be closed. Threads begin with the first work that is worth them.
 * @throws {KernelError} if the kernel does not run here
 */
export function openModelSteps(options: ModelStepsOptions, specification: ModelSpecification): ModelThreads {
  const threads = threadsOf(options, specification)
  return threads === 0 ? localSteps(createKernel(options.kernel)) : modelThreads(threads, { kernel: options.kernel })
}
