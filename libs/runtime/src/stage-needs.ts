import { setTimeout as delay } from 'node:timers/promises'
import type { EventLog } from '@eddy/log'
import type { Snapshot } from '@eddy/messages'
import { isCheckpoint } from '@eddy/model'
import { learnedPosition } from './lag.ts'
import type { Service } from './process.ts'
import type { WatchOptions } from './watch.ts'

/** How often it is looked what the stages have read, milliseconds. */
const everyMs = 1000

/** Of the stages that read it. */
type StageNeedsOptions = Pick<WatchOptions, 'topics' | 'groupOf'>

/**
 * What the stages of this process have yet to read, so that retention keeps it. Nothing is known to be read before it was looked at, and
 * what was read since is kept until the next look.
 */
export class StageNeeds {
  readonly #options: StageNeedsOptions
  readonly #offsets = new Map<string, number>()
  #statistics = 0

  constructor(options: StageNeedsOptions) {
    this.#options = options
  }

  /** Offset of a partition from which on a stage has yet to read; where none reads, there is no such. */
  readonly of = (topic: string, partition: number): number => {
    const { events, features, statistics } = this.#options.topics
    if (topic === statistics) return this.#statistics
    return topic === events || topic === features ? (this.#offsets.get(key(topic, partition)) ?? 0) : Infinity
  }

  /** A snapshot is durable. One that cannot be read is made again from the statistics since the checkpoint before it. */
  published(snapshot: Snapshot): void {
    if (isCheckpoint(snapshot)) this.#statistics = snapshot.statisticsOffset
  }

  /** @param snapshot the newest one */
  async look(log: EventLog, snapshot: Snapshot | undefined): Promise<void> {
    const { topics, groupOf } = this.#options
    const ingested = await log.positions(topics.events, groupOf('ingest'))
    const scored = await log.positions(topics.features, groupOf('scoring'))
    const learned = learnedPosition(snapshot)
    for (const [partition, next] of ingested) this.#offsets.set(key(topics.events, partition), next)
    for (const [partition, next] of scored)
      this.#offsets.set(key(topics.features, partition), Math.min(next, learned(partition)))
  }

  /** A part of the process that looks again and again. */
  service(): Service {
    return {
      stages: [],
      needsModel: true,
      run: async ({ log, newestSnapshot, signal, snapshots }) => {
        snapshots.subscribe(snapshot => this.published(snapshot))
        while (!signal.aborted) {
          await this.look(log, newestSnapshot())
          await delay(everyMs, undefined, { signal }).catch(() => {})
        }
      },
    }
  }
}

const key = (topic: string, partition: number): string => `${topic}/${partition}`
