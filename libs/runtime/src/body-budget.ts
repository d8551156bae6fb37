import { BodyError } from './body-error.ts'

/** Bodies up to this size have an eighth of the memory for themselves. Bytes. */
const smallBytes = 64 << 10

/** A body, as the budget sees it. */
export interface BodyHolder {
  /** held, bytes: the budget's to write */
  bytes: number
  /** when it last was on pace, milliseconds */
  readonly onPaceAt: number
  /** whether it may be made to give up what it holds */
  readonly stalled: boolean
  giveUp(error: BodyError): void
}

/**
 * The memory of all request bodies that are read or worked on. Where it does not suffice, unfinished bodies that have stalled give theirs
 * up, the longest stalled first: whoever sends a body slowly, or never ends it, keeps nobody out.
 */
export class BodyBudget {
  /** bytes */
  readonly #most: number
  readonly #unfinished = new Set<BodyHolder>()
  #taken = 0

  constructor(mostBytes: number) {
    this.#most = mostBytes
  }

  /** bytes */
  get taken(): number {
    return this.#taken
  }

  open(share: BodyHolder): void {
    this.#unfinished.add(share)
  }

  /** The whole body is there: it is not asked to give anything up any more. */
  finish(share: BodyHolder): void {
    this.#unfinished.delete(share)
  }

  /**
   * Changes what a share holds.
   * @throws {BodyError} 503 where there is not enough
   */
  resize(share: BodyHolder, bytes: number): void {
    if (bytes > share.bytes) this.#makeRoom(share, bytes)
    this.#taken += bytes - share.bytes
    share.bytes = bytes
  }

  #makeRoom(share: BodyHolder, bytes: number): void {
    const most = bytes <= smallBytes ? this.#most : this.#most - this.#most / 8
    const fits = (): boolean => this.#taken + bytes - share.bytes <= most
    if (fits()) return
    const stalled = [...this.#unfinished].filter(other => other !== share && other.stalled)
    for (const slowest of stalled.sort((a, b) => a.onPaceAt - b.onPaceAt)) {
      slowest.giveUp(usedUp())
      if (fits()) return
    }
    throw usedUp()
  }
}

const usedUp = (): BodyError =>
  new BodyError(
    503,
    'body: expected memory for it, got none: all that bodies may take together (http.maxBodiesBytes) is in use; nothing was accepted, retry later',
  )
