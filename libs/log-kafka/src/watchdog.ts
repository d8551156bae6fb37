import { LogError } from '@eddy/log'
import type { Cursor } from './cursor.ts'
import type { KafkaAdmin } from './driver.ts'

/** Records that wait for so long without progress mean that the client library is stuck: the stream errors, the process restarts. */
const STUCK_MS = 60_000
const LOOK_MS = STUCK_MS / 2
/** So is a consumer that asks its group for its partitions for so long, whatever other members have to finish first. */
const JOINING_MS = 2 * STUCK_MS

/** Sees when the client library is stuck: it does not join, or a partition gets no records though there are some (kafkajs #659, #1691). */
export class Watchdog {
  readonly #topic: string
  readonly #admin: KafkaAdmin
  readonly #cursors: ReadonlyMap<number, Cursor>
  readonly #timer: NodeJS.Timeout
  /** Since when the group has been asked for partitions, and has not answered. */
  #joiningSince: number | undefined = performance.now()

  /**
   * Begins to watch a consumer that joins its group.
   * @param cursors the consumer's, as they are at each look
   * @param onStuck told at each look that finds it stuck, or fails
   */
  constructor(
    topic: string,
    admin: KafkaAdmin,
    cursors: ReadonlyMap<number, Cursor>,
    onStuck: (error: unknown) => void,
  ) {
    this.#topic = topic
    this.#admin = admin
    this.#cursors = cursors
    this.#timer = setInterval(() => this.#look().catch(onStuck), LOOK_MS).unref()
  }

  joining(): void {
    this.#joiningSince ??= performance.now()
  }

  joined(): void {
    this.#joiningSince = undefined
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    const now = performance.now()
    if (now - (this.#joiningSince ?? now) > JOINING_MS)
      throw new LogError(
        `${this.#topic}: expected partitions from the group, got no answer for ${JOINING_MS / 1000} s. ` +
          'The brokers are out of reach, or the client is stuck: end the process and start again.',
      )
    const rests = ({ outstanding, asking, progressAt }: Cursor): boolean =>
      !outstanding && !asking && progressAt < now - LOOK_MS
    const resting = [...this.#cursors.values()].filter(rests)
    if (resting.length === 0) return
    const partitions = resting.map(({ partition }) => partition)
    const offsets = await this.#admin.offsets(this.#topic, partitions)
    for (const [i, cursor] of resting.entries()) {
      if (!rests(cursor)) continue
      const { partition, fetchOffset, buffer, behindSince, progressAt } = cursor
      const { end } = offsets[i]!
      if (fetchOffset !== undefined && buffer.isEmpty && end <= fetchOffset) cursor.behindSince = -Infinity
      else if (behindSince < progressAt) cursor.behindSince = now
      else if (now - behindSince >= STUCK_MS)
        throw new LogError(
          `${this.#topic}/${partition}: expected progress, got none for ${STUCK_MS / 1000} s at offset ${fetchOffset ?? '?'} of ${end}. ` +
            'The client is stuck, or a transaction was left open: end the process and start again.',
        )
    }
  }
}
