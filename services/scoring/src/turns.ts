import { setTimeout as delay, setImmediate } from 'node:timers/promises'

/** While several wait, their work gets one part in this many of the time; the rest is for everything else in the process. */
const share = 4

/**
 * Lets pieces of work of many readers take turns, one at a time in the order they came, so that a crowd of readers does not hold up
 * everything else on the event loop. What follows at once from a piece, such as writing its result to a socket, counts as part of
 * it. A single reader waits for nobody.
 */
export class Turns {
  #waiting = 0
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => T): Promise<T> {
    this.#waiting++
    let began = 0
    const turn = this.#last.then(() => {
      this.#waiting--
      began = performance.now()
      return work()
    })
    this.#last = turn
      .catch(() => {})
      .then(async () => {
        await setImmediate()
        if (this.#waiting > 1) await delay((share - 1) * (performance.now() - began))
      })
    return turn
  }
}
