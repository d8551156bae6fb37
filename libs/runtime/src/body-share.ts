import type { BodyBudget, BodyHolder } from './body-budget.ts'
import type { BodyError } from './body-error.ts'

/** A body that does not come on by this much, or to its end, each `paceMs` is stalled. Bytes. */
const paceBytes = 64 << 10
const paceMs = 1000

/** What one request's body has of the memory of all, from its first byte to its answer. */
export class BodyShare implements BodyHolder {
  bytes = 0
  onPaceAt: number
  readonly #budget: BodyBudget
  readonly #now: () => number
  readonly #gaveUp: (error: BodyError) => void
  #received = 0

  /**
   * @param now monotonic, milliseconds
   * @param gaveUp is called when an unfinished body had to give its memory up
   */
  constructor(budget: BodyBudget, now: () => number, gaveUp: (error: BodyError) => void) {
    this.#budget = budget
    this.#now = now
    this.#gaveUp = gaveUp
    this.onPaceAt = now()
    budget.open(this)
  }

  get stalled(): boolean {
    return this.#now() - this.onPaceAt > paceMs
  }

  /**
   * Room for so many bytes more.
   * @throws {BodyError} 503 where there is not enough
   */
  take(bytes: number): void {
    this.#budget.resize(this, this.bytes + bytes)
  }

  /** So many bytes have come from the client. */
  received(bytes: number): void {
    this.#received += bytes
    if (this.#received < paceBytes) return
    this.#received = 0
    this.onPaceAt = this.#now()
  }

  finish(): void {
    this.#budget.finish(this)
  }

  /** Nobody needs the body any more. */
  release(): void {
    this.#budget.finish(this)
    this.#budget.resize(this, 0)
  }

  giveUp(error: BodyError): void {
    this.release()
    this.#gaveUp(error)
  }
}
