import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type StepRunner, stepRunner, type Task } from './model-steps.ts'
import { median } from './statistics.ts'

const THREADS = 2

/** Of a turn at least: threads that have slept through the others' turns are woken in its first step. */
const LEAST_SECONDS = 0.4

/** Two threads beside one. */
export interface ThreadsResult extends Task {
  /** events per second of the services' steps on two threads, as a multiple of one thread */
  readonly ratio: number
  /** the same of two threads that do one thread's work each and share nothing: what the machine has to give */
  readonly reachable: number
}

/** Threads of one thread's work each. */
function independent(task: Task): StepRunner {
  const file = new URL('./independent-thread.ts', import.meta.url)
  const workers = Array.from({ length: THREADS }, () => new Worker(file, { workerData: task }))
  return {
    async run(task, seconds) {
      const rates = workers.map(async worker => {
        worker.postMessage({ task, seconds })
        return (await once(worker, 'message'))[0] as number
      })
      return (await Promise.all(rates)).reduce((a, b) => a + b, 0)
    },
    close: async () => {
      await Promise.all(workers.map(worker => worker.terminate()))
    },
  }
}

/** Measures `modelThreads` with two threads, and two independent threads, against one thread, interleaved. */
export async function measureThreads(
  shapes: readonly string[],
  batches: readonly number[],
  rounds: number,
  seconds: number,
): Promise<ThreadsResult[]> {
  const results: ThreadsResult[] = []
  for (const shape of shapes)
    for (const variant of ['dense', 'skip'] as const) {
      const one = await stepRunner(shape, variant, 0)
      const two = await stepRunner(shape, variant, THREADS)
      const apart = independent({ shape, variant, step: 'em', batch: 0 })
      for (const batch of batches)
        for (const step of ['em', 'score'] as const) {
          const task = { shape, step, variant, batch }
          const rates: [number[], number[], number[]] = [[], [], []]
          for (let i = -1; i < rounds; i++)
            for (const [c, contender] of [one, two, apart].entries()) {
              const rate = await contender.run(task, Math.max(seconds, LEAST_SECONDS))
              if (i >= 0) rates[c]!.push(rate)
            }
          const ratioOf = (of: readonly number[]) => Number((median(of) / median(rates[0])).toPrecision(3))
          const result = { ...task, ratio: ratioOf(rates[1]), reachable: ratioOf(rates[2]) }
          results.push(result)
          console.error(`two threads, ${shape} ${step} ${variant} ${batch}: ${result.ratio} of ${result.reachable}`)
        }
      for (const runner of [one, two, apart]) await runner.close()
    }
  return results
}

/** The results as markdown. */
export function threadsTable(results: readonly ThreadsResult[]): string {
  const batches = [...new Set(results.map(({ batch }) => batch))]
  const lines = [
    '## Two threads beside one',
    '',
    "The services' E-step, M-step and scoring (`modelThreads`) on two threads with shared memory, in events per second as a multiple of one",
    'thread (the calling one). The calling thread does one of the two parts, in slices of some 4 ms between which the event loop turns. In',
    "brackets what the machine has to give: two threads that do one thread's work each and share nothing. Work that is too small to be handed",
    'over stays on the calling thread. The parameters of an E-step lie, as a worker has them from the log, in memory that is not shared: to',
    'copy them is part of the step, to decode them is not.',
    '',
    `| shape | step | variant |${batches.map(batch => ` batch ${batch} |`).join('')}`,
    `|---|---|---|${batches.map(() => '---|').join('')}`,
  ]
  for (const { shape, step, variant, batch } of results)
    if (batch === batches[0]) {
      const cells = batches.map(size => {
        const found = results.find(
          r => r.shape === shape && r.step === step && r.variant === variant && r.batch === size,
        )
        return ` ${found?.ratio.toFixed(2) ?? '–'} (${found?.reachable.toFixed(2) ?? '–'}) |`
      })
      lines.push(`| ${shape} | ${step} | ${variant} |${cells.join('')}`)
    }
  return [...lines, ''].join('\n')
}
