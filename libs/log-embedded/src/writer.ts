import { once } from 'node:events'
import type { SQLOutputValue } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { LogError } from '@eddy/log'
import { aligned } from '@eddy/log/adapter'
import { SharedMemory } from './shared-memory.ts'
import type { Statement } from './statements.ts'

export interface WriterOptions {
  readonly file: string
  /** Upper limit of the database file, bytes. */
  readonly maxBytes: number | undefined
  /** whether batches are compressed */
  readonly compress: boolean
}

export type Row = Record<string, SQLOutputValue>

/** What the thread is asked, one thing after another. */
export type WriterTask =
  | {
      readonly kind: 'transaction'
      readonly statements: readonly Statement[]
      readonly total: number | undefined
      readonly hasty: boolean
    }
  | { readonly kind: 'sweep'; readonly after: number }
  | { readonly kind: 'rewrite' }
  | { readonly kind: 'close' }

/** What the thread answers, in the order asked: the rows of each statement. */
export type WriterAnswer =
  | { readonly rows: Row[][] }
  | { readonly error: { readonly message: string; readonly errcode: number | undefined } }

const sizeOf = (values: Statement['values']): number =>
  values.reduce<number>((sum, value) => sum + (value instanceof Uint8Array ? aligned(value.length) : 0), 0)

/** Source runs the thread from source, what was built of it from what was built. */
const fromSource = import.meta.url.endsWith('.ts')
const entry = new URL(`./writer-thread${fromSource ? '.ts' : '.js'}`, import.meta.url)

/**
 * Everything that is written to an open log, on a thread of its own: commits, their fsync and checkpoints keep nobody waiting
 * but those who asked. Tasks are done in the order asked. The thread starts with the first one.
 */
export class Writer {
  readonly #options: WriterOptions
  readonly #asked: PromiseWithResolvers<Row[][]>[] = []
  readonly #memory = new SharedMemory()
  #thread: Worker | undefined
  /** why nothing can be written any more */
  failure: Error | undefined

  constructor(options: WriterOptions) {
    this.#options = options
  }

  /**
   * Durable, all or nothing. Payloads, which are batches, are copied before this returns, compressed and sealed on their way.
   * @param total records the log has ever been given, where it gets more
   * @param hasty where there is no room to zero what is deleted: it stays, and the log is no longer called wiped
   * @returns the rows of each statement
   */
  transaction(statements: readonly Statement[], total?: number, hasty = false): Promise<Row[][]> {
    const size = statements.reduce((sum, { values }) => sum + sizeOf(values), 0)
    const memory = this.#memory.take(size)
    let at = 0
    const copied = statements.map(({ sql, values }) => ({
      sql,
      values: values.map(value => {
        if (!(value instanceof Uint8Array)) return value
        const copy = new Uint8Array(memory, at, value.length)
        copy.set(value)
        at += aligned(value.length)
        return copy
      }),
    }))
    return this.#ask({ kind: 'transaction', statements: copied, total, hasty }).finally(() =>
      this.#memory.giveBack(memory),
    )
  }

  /**
   * Empties the write-ahead log, which holds pages as they were, and zeros what is unused inside some pages.
   * @param after the last batch (its rowid) of those that were swept; Infinity empties the write-ahead log only
   * @returns where to go on, if there is more; busy: a reader still needs the write-ahead log, and nothing was swept
   */
  async sweep(after: number): Promise<{ readonly busy: boolean; readonly next: number | undefined }> {
    const [answer] = await this.#ask({ kind: 'sweep', after })
    const { busy, next } = answer![0]!
    return { busy: busy === 1, next: next === null ? undefined : Number(next) }
  }

  /** Rewrites the file without its free pages (VACUUM, which needs as much room again), after which it holds nothing that was deleted. */
  async rewrite(): Promise<void> {
    await this.#ask({ kind: 'rewrite' })
  }

  /** Does what was asked, then ends the thread. */
  async close(): Promise<void> {
    const thread = this.#thread
    if (!thread || this.failure) return
    const ended = once(thread, 'exit')
    await this.#ask({ kind: 'close' })
    thread.ref()
    await ended
  }

  #ask(task: WriterTask): Promise<Row[][]> {
    if (this.failure) return Promise.reject(this.failure)
    this.#thread ??= this.#start()
    const asked = Promise.withResolvers<Row[][]>()
    this.#asked.push(asked)
    this.#thread.ref()
    this.#thread.postMessage(task)
    return asked.promise
  }

  #start(): Worker {
    const thread = new Worker(entry, {
      workerData: this.#options,
      // The program's own options may not suit a thread; what it imports is source where this file is.
      execArgv: ['--disable-warning=ExperimentalWarning', ...(fromSource ? ['--conditions=source'] : [])],
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
    })
    thread.on('message', (answer: WriterAnswer) => {
      const asked = this.#asked.shift()!
      // Held by the work it does, not by being there.
      if (this.#asked.length === 0) thread.unref()
      if ('rows' in answer) asked.resolve(answer.rows)
      else asked.reject(Object.assign(new Error(answer.error.message), { errcode: answer.error.errcode }))
    })
    thread.on('error', error => this.#fail(error as Error))
    thread.on('exit', () => this.#fail(new Error('its thread ended')))
    return thread
  }

  #fail(cause: Error): void {
    this.failure ??= new LogError(
      `log ${this.#options.file}: expected a running writer, got "${cause.message}". Whether the last publication was stored is unknown: end the process and start again.`,
      { cause },
    )
    for (const asked of this.#asked.splice(0)) asked.reject(this.failure)
  }
}
