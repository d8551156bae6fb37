import { setTimeout as delay } from 'node:timers/promises'
import type { EventLog } from '@eddy/log'
import type { Snapshot } from '@eddy/messages'
import { isCheckpoint, ledgerOf, nextOffset } from '@eddy/model'
import { type Configuration, groupName } from '@eddy/settings'

/** How often it is looked what the stages have read, milliseconds. */
const everyMs = 1000

/**
 * What the stages of this process have yet to read, so that retention keeps it. Nothing is known to be read before it was looked at, and
 * what was read since is kept until the next look.
 */
export class StageNeeds {
  readonly #configuration: Configuration
  readonly #offsets = new Map<string, number>()
  #statistics = 0

  constructor(configuration: Configuration) {
    this.#configuration = configuration
  }

  /** Offset of a partition from which on a stage has yet to read; where none reads, there is no such. */
  readonly of = (topic: string, partition: number): number => {
    const { events, features, statistics } = this.#configuration.topics
    if (topic === statistics) return this.#statistics
    return topic === events || topic === features ? (this.#offsets.get(key(topic, partition)) ?? 0) : Infinity
  }

  /** A snapshot is durable. One that cannot be read is made again from the statistics since the checkpoint before it. */
  published(snapshot: Snapshot): void {
    if (isCheckpoint(snapshot.version)) this.#statistics = snapshot.statisticsOffset
  }

  /** @param snapshot the newest one */
  async look(log: EventLog, snapshot: Snapshot | undefined): Promise<void> {
    const { topics } = this.#configuration
    const ingested = await log.positions(topics.events, groupName(this.#configuration, 'ingest'))
    const scored = await log.positions(topics.features, groupName(this.#configuration, 'scoring'))
    const ledger = ledgerOf(snapshot?.ledger ?? [])
    for (const [partition, next] of ingested) this.#offsets.set(key(topics.events, partition), next)
    for (const [partition, next] of scored)
      this.#offsets.set(key(topics.features, partition), Math.min(next, nextOffset(ledger, partition)))
  }

  /** Looks again and again until the signal. */
  async follow(log: EventLog, snapshot: () => Snapshot | undefined, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look(log, snapshot())
      await delay(everyMs, undefined, { signal }).catch(() => {})
    }
  }
}

const key = (topic: string, partition: number): string => `${topic}/${partition}`
