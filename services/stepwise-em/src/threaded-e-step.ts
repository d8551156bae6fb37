import { Worker } from 'node:worker_threads'
import type { Snapshot } from '@eddy/messages'
import type { Block, KernelChoice } from '@eddy/mixture'
import type { EStep, Expectation } from './e-step.ts'

/** What a thread is asked: the E-step of its part of a mini-batch. */
export interface ThreadTask {
  readonly snapshot: Pick<Snapshot, 'specification' | 'parameters'>
  readonly block: Block
  readonly weights: Float64Array
}

/** What the thread answers. */
export type ThreadAnswer = { readonly expectation: Expectation } | { readonly error: Error }

export interface ThreadedEStep {
  readonly eStep: EStep
  /** Ends the threads; an E-step under way rejects. Idempotent. */
  close(): Promise<void>
}

/**
 * The E-step on threads of its own, so that the calling thread stays free. A mini-batch is split into as many equal parts
 * of consecutive rows, whose statistics are added in the order of the parts: the result depends on the number of threads
 * (in the last bits), never on timing.
 * @param threads at least 1
 * @param kernel what each thread selects for itself
 */
export function threadedEStep(threads: number, kernel: KernelChoice = 'auto'): ThreadedEStep {
  if (!(Number.isInteger(threads) && threads >= 1))
    throw new RangeError(`threads: expected an integer of at least 1, got ${threads}. Use localEStep for none.`)
  const members = Array.from({ length: threads }, () => new Member(kernel))
  return {
    eStep: async (snapshot, block, weights) => {
      const { specification, parameters } = snapshot
      const { rows, columns, values } = block
      const parts = members.map((member, i) => {
        const from = Math.floor((rows * i) / threads)
        const to = Math.floor((rows * (i + 1)) / threads)
        const part = { rows: to - from, columns, values: values.slice(from * columns, to * columns) }
        return member.ask({ snapshot: { specification, parameters }, block: part, weights: weights.slice(from, to) })
      })
      // All of them first: a thread is asked one thing at a time.
      await Promise.allSettled(parts)
      return sum(await Promise.all(parts))
    },
    close: async () => {
      await Promise.all(members.map(member => member.close()))
    },
  }
}

/** In the order given. */
function sum(parts: readonly Expectation[]): Expectation {
  const [first, ...others] = parts as [Expectation, ...Expectation[]]
  let { logLikelihood, weight } = first
  for (const part of others) {
    for (let i = 0; i < first.statistics.length; i++) first.statistics[i]! += part.statistics[i]!
    logLikelihood += part.logLikelihood
    weight += part.weight
  }
  return { statistics: first.statistics, logLikelihood, weight }
}

/** Source runs threads from source, what was built of it from what was built. */
const entry = new URL(`./e-step-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

/** One thread, asked one thing at a time. */
class Member {
  readonly #worker: Worker
  #asked: PromiseWithResolvers<Expectation> | undefined
  #failure: Error | undefined

  constructor(kernel: KernelChoice) {
    this.#worker = new Worker(entry, { workerData: kernel })
    // Held by the work it does, not by being there.
    this.#worker.unref()
    this.#worker.on('message', (answer: ThreadAnswer) => {
      const asked = this.#asked
      this.#asked = undefined
      this.#worker.unref()
      if ('error' in answer) asked?.reject(answer.error)
      else asked?.resolve(answer.expectation)
    })
    this.#worker.on('error', error => this.#fail(error as Error))
    this.#worker.on('exit', code =>
      this.#fail(new Error(`E-step thread: expected to run on, got its end (code ${code})`)),
    )
  }

  ask(task: ThreadTask): Promise<Expectation> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    this.#asked = Promise.withResolvers<Expectation>()
    this.#worker.ref()
    this.#worker.postMessage(task, [task.block.values.buffer as ArrayBuffer, task.weights.buffer as ArrayBuffer])
    return this.#asked.promise
  }

  async close(): Promise<void> {
    this.#failure ??= new Error('E-step thread: expected to be asked before it was closed, got asked after')
    await this.#worker.terminate()
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#asked?.reject(this.#failure)
    this.#asked = undefined
  }
}
