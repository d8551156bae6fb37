import { FetchBuffer } from './fetch-buffer.ts'

/** A consumer's place in one partition, for one tenure of it. */
export class Cursor {
  readonly partition: number
  readonly buffer = new FetchBuffer()
  /** Where the next fetch must be; undefined until `from` is resolved. */
  fetchOffset: number | undefined
  /** The subscriber has yet to say where to begin, which takes as long as it takes. */
  asking = false
  /** When records were first seen to wait. */
  behindSince = -Infinity
  endOffset = 0
  outstanding = false
  paused = false
  /** Another member has, or may have, the partition: what was delivered may no longer be settled. */
  superseded = false
  progressAt = performance.now()
  handedOutAt = 0
  /** Until then only a full delivery is handed out. */
  restsUntil = 0
  /** Whether a timer ends the rest. */
  wakes = false

  constructor(partition: number) {
    this.partition = partition
  }
}
