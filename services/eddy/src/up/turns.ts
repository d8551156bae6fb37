import { setTimeout as delay } from 'node:timers/promises'

/** While several wait, their work gets one part in this many of the time; the rest is for everything else in the process. */
const share = 4

/**
 * Lets pieces of work of many readers take turns, one at a time in the order they came, so that a crowd of readers does not hold up
 * everything else on the event loop. A single reader is never made to wait.
 */
export class Turns {
  #waiting = 0
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => T): Promise<T> {
    this.#waiting++
    const turn = this.#last.then(async () => {
      const began = performance.now()
      try {
        return work()
      } finally {
        this.#waiting--
        if (this.#waiting > 0) await delay((share - 1) * (performance.now() - began))
      }
    })
    this.#last = turn.catch(() => {})
    return turn
  }
}
