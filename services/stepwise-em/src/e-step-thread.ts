// A thread of `threadedEStep`: the E-steps of its parts, one after another, with a kernel of its own.
import { parentPort, workerData } from 'node:worker_threads'
import type { Snapshot } from '@eddy/messages'
import { type KernelChoice, selectKernel } from '@eddy/mixture'
import { localEStep } from './e-step.ts'
import type { ThreadAnswer, ThreadTask } from './threaded-e-step.ts'

selectKernel(workerData as KernelChoice)
const eStep = localEStep()

parentPort?.on('message', async ({ snapshot, block, weights }: ThreadTask) => {
  let answer: ThreadAnswer
  try {
    answer = { expectation: await eStep(snapshot as Snapshot, block, weights) }
  } catch (error) {
    answer = { error: error as Error }
  }
  parentPort?.postMessage(answer)
})
