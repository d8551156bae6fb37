/** A step forward of so much is believed at once: a machine was off, or asleep. Milliseconds. */
const BELIEVED_MS = 24 * 3_600_000

/** How fast retention catches up with a clock that is further ahead. */
const CATCH_UP = 2

/** Its limit is worth remembering again after so much, milliseconds. */
const WORTH_MS = 3_600_000

export interface RetentionClockOptions {
  /** wall clock, milliseconds since 1970-01-01 UTC */
  readonly clock: () => number
  /** milliseconds since any beginning; nobody can set it */
  readonly monotonic: () => number
  /** the limit of an earlier one */
  readonly remembered: number | undefined
}

/**
 * The time retention goes by. It never goes forward by more than a day at once, and then at most twice as fast as time passes: a clock
 * set wrong by years would have everything deleted at its first look.
 */
export class RetentionClock {
  readonly #options: RetentionClockOptions
  /** it shows no more than this */
  #limit: number
  #looked: number
  #behind = 0
  #remembered: number | undefined

  constructor(options: RetentionClockOptions) {
    const { clock, monotonic, remembered } = options
    this.#options = options
    this.#remembered = remembered
    this.#limit = remembered ?? clock() + BELIEVED_MS
    this.#looked = monotonic()
  }

  /** Milliseconds since 1970-01-01 UTC. */
  now(): number {
    const { clock, monotonic } = this.#options
    const looked = monotonic()
    const limit = this.#limit + CATCH_UP * (looked - this.#looked)
    this.#looked = looked
    const wall = clock()
    const shown = Math.min(wall, limit)
    this.#behind = wall - shown
    this.#limit = Math.min(limit, shown + BELIEVED_MS)
    return shown
  }

  /** By how much the wall clock was ahead at the last look, milliseconds. */
  get behind(): number {
    return this.#behind
  }

  /** @returns its limit, where that is to be remembered anew; each start would be believed a day otherwise */
  toRemember(): number | undefined {
    if (this.#remembered !== undefined && Math.abs(this.#limit - this.#remembered) < WORTH_MS) return undefined
    this.#remembered = this.#limit
    return this.#limit
  }
}
