// One of several threads that have nothing to do with one another: what they reach together is the machine's limit.
import { parentPort, workerData } from 'node:worker_threads'
import { stepRunner, type Task } from './model-steps.ts'

const { shape, variant } = workerData as Task
const runner = await stepRunner(shape, variant, 0)
parentPort?.on('message', async ({ task, seconds }: { task: Task; seconds: number }) => {
  parentPort?.postMessage(await runner.run(task, seconds))
})
