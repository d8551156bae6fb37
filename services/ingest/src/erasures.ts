import { setTimeout as delay } from 'node:timers/promises'
import { LogError, type Note } from '@eddy/log'
import type { Logger } from '@eddy/runtime'
import { type ForgetOptions, type Forgotten, forget } from './forget.ts'
import { longestCustomerId } from './validate.ts'

/** An erasure, as whoever asks is told. */
export interface Erasure {
  readonly id: string
  /** `waiting` for another one, or for what it failed of to pass */
  readonly state: 'waiting' | 'running' | 'done'
  /** how many */
  readonly customers: number
  /** records removed, by topic */
  readonly erased: Forgotten
  /** when it was asked for, and when nothing of it was left on the disk, ISO 8601 */
  readonly asked: string
  readonly finished?: string
  /** why it has not come to its end; it is tried again */
  readonly error?: string
}

/** An erasure as it is kept: with the ids, until they have been erased. */
interface Kept extends Erasure {
  readonly ids: readonly string[]
  /** where each partition of events ended when it was asked for */
  readonly before: readonly number[]
  /** who asked for it, for the audit log */
  readonly by: string
}

export interface ErasuresOptions extends ForgetOptions {
  readonly logger: Pick<Logger, 'info' | 'error'>
  readonly now: () => number
  readonly newId: () => string
  /** told when records have been erased: what was read of them before is to be dropped */
  readonly onErased?: (() => void) | undefined
}

const PREFIX = 'erasure/'

/** Erasures that are kept when they are done. */
const KEPT = 100

/** After how long one that failed is tried again, milliseconds. */
const RETRY_MS = 5_000

/** The erasures of a log, one after another. They are kept in it: what a process has not finished, the next one does. */
export class Erasures {
  readonly #options: ErasuresOptions
  readonly #stop = new AbortController()
  #work: Promise<void> = Promise.resolve()

  constructor(options: ErasuresOptions) {
    this.#options = options
  }

  /** Goes on with what is not done. */
  async resume(): Promise<void> {
    for (const { id, state } of await this.list()) if (state !== 'done') void this.#plan(id)
  }

  /**
   * Asks for customers to be erased. It is done even if this process ends before.
   * @param customers ids as they are stored
   * @throws RangeError where one is none
   */
  async ask(customers: readonly string[], by: string): Promise<Erasure> {
    const { log, configuration, now, newId } = this.#options
    if (log.capabilities.erasure === undefined)
      throw new LogError(
        'forget: expected the embedded log, got Kafka, which removes records by retention only. See docs/erasure.md for what to do there.',
      )
    checkIds(customers)
    const ends = await log.offsets(configuration.topics.events)
    const kept: Kept = {
      id: newId(),
      state: 'waiting',
      customers: customers.length,
      erased: {},
      asked: new Date(now()).toISOString(),
      ids: customers,
      before: ends.map(({ end }) => end),
      by,
    }
    await this.#keep(kept)
    void this.#plan(kept.id)
    return told(kept)
  }

  async find(id: string): Promise<Erasure | undefined> {
    const kept = await this.#find(id)
    return kept && told(kept)
  }

  /** Oldest first. */
  async list(): Promise<readonly Erasure[]> {
    return (await this.#all()).map(told)
  }

  /** Resolves when none is waiting or running, or after a stop. */
  settled(): Promise<void> {
    return this.#work
  }

  /** Begins nothing more, and tries nothing again. */
  stop(): void {
    this.#stop.abort()
  }

  #plan(id: string): void {
    this.#work = this.#work.then(() => this.#untilDone(id))
  }

  async #untilDone(id: string): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        await this.#run(id)
        return
      } catch (error) {
        if (signal.aborted) return
        const { message } = error as Error
        this.#options.logger.error({ erasure: id, error: message }, 'an erasure failed, and is tried again')
        const kept = await this.#find(id).catch(() => undefined)
        if (kept !== undefined) await this.#keep({ ...kept, state: 'waiting', error: message }).catch(() => {})
        await delay(RETRY_MS, undefined, { signal, ref: false }).catch(() => {})
      }
    }
  }

  async #run(id: string): Promise<void> {
    const { log, configuration, logger, now, onErased } = this.#options
    const { erasure } = log.capabilities
    let kept = await this.#find(id)
    if (erasure === undefined || kept === undefined || kept.state === 'done') return
    const { error: _, ...rest } = kept
    kept = { ...rest, state: 'running' }
    await this.#keep(kept)
    const { ids, by } = kept
    const { events } = configuration.topics
    if (ids.length > 0) {
      await forget(ids, erasure, this.#options, async (topic, erase) => {
        const counted = kept as Kept
        const before = counted.erased[topic] ?? 0
        const withCount = (removed: number): Kept => ({
          ...counted,
          erased: { ...counted.erased, [topic]: before + removed },
        })
        // What a producer sends after it asked is not what it asked for.
        const limit = topic === events ? { before: counted.before } : {}
        kept = withCount(await erase({ ...limit, note: removed => noteOf(withCount(removed)) }))
        await this.#keep(kept)
      })
      onErased?.()
      const { erased } = kept
      logger.info({ audit: 'forget', by, erasure: id, customers: ids, forgotten: erased }, 'customers were erased')
      // The ids go before the scrub, since it is they that must not be found.
      kept = { ...kept, ids: [] }
      await this.#keep(kept)
    }
    await erasure.scrub()
    await this.#keep({ ...kept, state: 'done', finished: new Date(now()).toISOString() })
    await this.#clear()
  }

  async #clear(): Promise<void> {
    const done = (await this.#all()).filter(({ state }) => state === 'done')
    for (const { id } of done.slice(0, -KEPT)) await this.#options.log.capabilities.erasure?.note(PREFIX + id)
  }

  async #keep(kept: Kept): Promise<void> {
    await this.#options.log.capabilities.erasure?.note(...noteOf(kept))
  }

  async #find(id: string): Promise<Kept | undefined> {
    return (await this.#all()).find(kept => kept.id === id)
  }

  async #all(): Promise<Kept[]> {
    const notes = (await this.#options.log.capabilities.erasure?.notes(PREFIX)) ?? []
    return notes.map(([, text]) => JSON.parse(text) as Kept).sort((a, b) => Date.parse(a.asked) - Date.parse(b.asked))
  }
}

const noteOf = (kept: Kept): Note => [PREFIX + kept.id, JSON.stringify(kept)]

const told = ({ ids: _, before: __, by: ___, ...erasure }: Kept): Erasure => erasure

/** @throws RangeError where one is none */
export function checkIds(customers: readonly string[]): void {
  if (customers.length === 0) throw new RangeError('customers: expected at least one id, got none')
  for (const customer of customers)
    if (customer === '' || customer.length > longestCustomerId)
      throw new RangeError(`customer: expected an id of 1 to ${longestCustomerId} characters, got ${customer.length}`)
}
