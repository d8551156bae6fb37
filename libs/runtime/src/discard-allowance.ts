/** Bytes a second of what is refused that are read on, and at once after a quiet second. */
const BYTES_A_SECOND = 16 << 20

/**
 * How much of the bodies that are refused is read on, all together, so that their senders see the answer and not a broken pipe. Beyond it
 * connections are closed as soon as they are answered: reading what nobody wants must not be what others wait for.
 */
export class DiscardAllowance {
  readonly #now: () => number
  /** bytes */
  #left = BYTES_A_SECOND
  #asOf: number

  /** @param now milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#asOf = now()
  }

  /** @returns whether so many bytes more may be read */
  take(bytes: number): boolean {
    const now = this.#now()
    this.#left = Math.min(BYTES_A_SECOND, this.#left + ((now - this.#asOf) / 1000) * BYTES_A_SECOND)
    this.#asOf = now
    if (this.#left < bytes) return false
    this.#left -= bytes
    return true
  }
}
