import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { KernelChoice, KernelOptions } from '@eddy/mixture'
import type { Work } from './model-part.ts'
import {
  generationOf,
  LENT_BUFFERS,
  type LentBuffer,
  Role,
  type SharedMemory,
  type ThreadMessage,
  type ThreadOptions,
  Word,
  wordsOf,
} from './shared-work.ts'

/** Source runs threads from source, what was built of it from what was built. */
const entry = new URL(`./model-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

/** How long the calling thread that has done its part looks for the end of the others, ms. */
const WATCH = 0.3

/** When the calling thread helps. */
export interface Help {
  /** how long the event loop may have other work between two slices before the calling thread leaves the rest to the others, ms; negative: it never helps */
  readonly patience: number
  /** pieces of work that are left to the others wholly after that */
  readonly rest: number
}

/** Threads that do the parts of one piece of work at a time. They begin with the first memory they are sent, and sleep while there is no work. */
export class Crew {
  readonly threads: number
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #options: Omit<ThreadOptions, 'index'>
  readonly #help: Help
  #workers: readonly Worker[] = []
  #waiting: PromiseWithResolvers<void> | undefined
  #errors: Error[] = []
  #done = false
  #rest = 0
  readonly #lent = new Map<SharedArrayBuffer, number>()
  #lentCount = 0
  #failure: Error | undefined

  constructor(threads: number, kernel: KernelChoice, kernelOptions: KernelOptions, help: Help) {
    this.threads = threads
    this.#help = help
    this.#words = new Int32Array(new SharedArrayBuffer(4 * wordsOf(threads)))
    this.#options = { threads, kernel, kernelOptions, words: this.#words.buffer }
  }

  #begin(): void {
    this.#workers = Array.from({ length: this.threads }, (_, index) => {
      const workerData: ThreadOptions = { index, ...this.#options }
      const worker = new Worker(entry, { workerData })
      worker.on('message', (message: ThreadMessage) => this.#hear(message))
      worker.on('error', error => this.#fail(error as Error))
      worker.on('exit', code => this.#fail(new Error(`E-step thread: expected to run on, got its end (code ${code})`)))
      // The process is held by the work they do, not by their being there; to listen for messages holds it again.
      worker.unref()
      return worker
    })
  }

  /** Shares memory with the threads, before the work in it. */
  send(memory: SharedMemory | LentBuffer): void {
    if (this.#workers.length === 0 && this.#failure === undefined) this.#begin()
    for (const worker of this.#workers) worker.postMessage(memory)
  }

  /** Takes back, before the next work, what was lent for the last one. */
  takeBack(): void {
    for (const role of Object.values(Role)) this.#words[Word.lent + 2 * role] = 0
  }

  /**
   * Tells, before the next work, where an array of the caller's lies.
   * @returns false if it is not in shared memory: then it is to be copied
   */
  lend(role: Role, array: Float64Array | undefined): boolean {
    if (!(array?.buffer instanceof SharedArrayBuffer)) return false
    const { buffer, byteOffset } = array as Float64Array<SharedArrayBuffer>
    const at = Word.lent + 2 * role
    let number = this.#lent.get(buffer)
    if (number === undefined) {
      number = ++this.#lentCount
      for (const [old, itsNumber] of this.#lent) if (itsNumber <= number - LENT_BUFFERS) this.#lent.delete(old)
      this.#lent.set(buffer, number)
      this.send({ number, buffer })
    }
    this.#words[at] = number
    this.#words[at + 1] = byteOffset / 8
    return true
  }

  /** Tells, before the next work, that the parameters are others. */
  renew(): void {
    Atomics.add(this.#words, Word.version, 1)
  }

  /**
   * Has all threads do their part.
   * @param firstPart done by the calling thread, slice by slice, instead of the first one of ours, which goes on with it as `Help` says; at
   * the end it waits a little for the others without giving way, because to be woken takes longer
   * @throws the first error of a part, when all have ended
   */
  work({ operation, rows, columns, slice }: Work, firstPart?: Iterator<void, void>): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const helps = firstPart !== undefined && this.#help.patience >= 0 && this.#rest === 0
    if (this.#rest > 0) this.#rest--
    const words = this.#words
    words[Word.operation] = operation
    words[Word.rows] = rows
    words[Word.columns] = columns
    words[Word.slice] = slice
    words[Word.done] = 0
    words[Word.failed] = 0
    Atomics.store(words, Word.left, this.threads)
    Atomics.store(words, Word.watched, helps ? 1 : 0)
    const waiting = Promise.withResolvers<void>()
    this.#waiting = waiting
    this.#workers[0]!.ref()
    for (let index = helps ? 1 : 0; index < this.threads; index++) this.#wake(index)
    if (helps) void this.#doPart(firstPart, waiting)
    return waiting.promise
  }

  #wake(index: number): void {
    Atomics.add(this.#words, generationOf(index), 1)
    Atomics.notify(this.#words, generationOf(index))
  }

  async #doPart(part: Iterator<void, void>, waiting: PromiseWithResolvers<void>): Promise<void> {
    const words = this.#words
    try {
      for (let done = 1; !part.next().done; done++) {
        const paused = performance.now()
        await setImmediate()
        if (this.#waiting !== waiting) return
        if (performance.now() - paused > this.#help.patience) return this.#leave(done)
      }
    } catch (error) {
      Atomics.add(words, Word.failed, 1)
      this.#errors.push(error as Error)
    }
    this.#watch()
  }

  /** Leaves the first part to the first thread. @param done slices of it that are done */
  #leave(done: number): void {
    this.#words[Word.done] = done
    Atomics.store(this.#words, Word.watched, 0)
    this.#wake(0)
    this.#rest = this.#help.rest
  }

  #watch(): void {
    const words = this.#words
    const others = Atomics.sub(words, Word.left, 1) - 1
    for (const began = performance.now(); others > 0 && performance.now() - began < WATCH; )
      if (Atomics.load(words, Word.watched) === 0) break
    // Whoever of the two takes the word away second knows that the other has done so.
    this.#done = others === 0 || Atomics.exchange(words, Word.watched, 0) === 0
    this.#settleWhenHeard()
  }

  async close(): Promise<void> {
    this.#fail(new Error('E-step thread: expected to be asked before it was closed, got asked after'))
    await Promise.all(this.#workers.map(worker => worker.terminate()))
  }

  #hear(message: ThreadMessage): void {
    if (message === 'done') this.#done = true
    else this.#errors.push(message)
    this.#settleWhenHeard()
  }

  #settleWhenHeard(): void {
    // The threads' messages come in any order.
    if (!this.#done || this.#errors.length < Atomics.load(this.#words, Word.failed)) return
    const [error] = this.#errors
    this.#done = false
    this.#errors = []
    this.#settle(error)
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#settle(this.#failure)
  }

  #settle(error: Error | undefined): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    this.#waiting = undefined
    this.#workers[0]?.unref()
    if (error === undefined) waiting.resolve()
    else waiting.reject(error)
  }
}
