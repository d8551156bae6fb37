const LEAST_BYTES = 1 << 20

/** Memory shared with a thread, used again: a thread seldom collects its garbage. */
export class SharedMemory {
  readonly #free: SharedArrayBuffer[] = []

  /** At least so many bytes, until given back. */
  take(bytes: number): SharedArrayBuffer {
    const fits = this.#free.findIndex(({ byteLength }) => byteLength >= bytes)
    if (fits >= 0) return this.#free.splice(fits, 1)[0]!
    return new SharedArrayBuffer(Math.max(LEAST_BYTES, 2 ** Math.ceil(Math.log2(bytes))))
  }

  /** Keeps the largest. */
  giveBack(memory: SharedArrayBuffer): void {
    const other = this.#free.pop()
    this.#free.push(other && other.byteLength > memory.byteLength ? other : memory)
  }
}
