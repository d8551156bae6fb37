const firstBytes = 16 << 10

export interface GrowingBytesOptions {
  /** bytes that will come, where it is known */
  readonly expected?: number | undefined
  /** bytes that come at most */
  readonly most: number
  /** takes room for so many bytes more, or throws */
  readonly take: (bytes: number) => void
}

/** Bytes that come in pieces, kept in one: pieces of a byte each would take a hundred times their room. */
export class GrowingBytes {
  readonly #options: GrowingBytesOptions
  #memory = Buffer.alloc(0)
  #length = 0

  constructor(options: GrowingBytesOptions) {
    this.#options = options
    if (options.expected !== undefined) this.#grow(options.expected)
  }

  /** @returns whether it fits; nothing of it is kept otherwise */
  add(piece: Uint8Array): boolean {
    const length = this.#length + piece.length
    const { most } = this.#options
    if (length > most) return false
    if (length > this.#memory.length) this.#grow(Math.min(most, Math.max(length, 2 * this.#memory.length, firstBytes)))
    this.#memory.set(piece, this.#length)
    this.#length = length
    return true
  }

  get length(): number {
    return this.#length
  }

  /** a view, not a copy */
  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#length)
  }

  #grow(capacity: number): void {
    this.#options.take(capacity - this.#memory.length)
    const larger = Buffer.allocUnsafeSlow(capacity)
    this.#memory.copy(larger, 0, 0, this.#length)
    this.#memory = larger
  }
}
