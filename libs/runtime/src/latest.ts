/** One value that changes: its newest, and a wait for its first. */
export class Latest<T> {
  #value: T | undefined
  #failure: { readonly error: unknown } | undefined
  readonly #first = Promise.withResolvers<void>()

  constructor() {
    // Whoever waits hears of a failure; nobody has to.
    this.#first.promise.catch(() => {})
  }

  /** The newest value; undefined before the first. */
  get value(): T | undefined {
    return this.#value
  }

  set(value: T): void {
    this.#value = value
    this.#first.resolve()
  }

  /** There is to be no other value. Whoever waits for the first gets none. */
  end(): void {
    this.#first.resolve()
  }

  /** There is no value any more: `newest` rejects from now on. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#first.reject(error)
  }

  /** The newest value, once there is one; undefined where it ended without. */
  async newest(): Promise<T | undefined> {
    if (this.#value === undefined) await this.#first.promise
    if (this.#failure !== undefined) throw this.#failure.error
    return this.#value
  }
}
