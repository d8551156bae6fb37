import { statfs } from 'node:fs/promises'
import type { EventLog } from '@eddy/log'
import type { Subscription } from 'rxjs'
import type { Metrics } from './metrics.ts'

/** What metrics tell of a log that is kept on this machine. */
export type LogMetrics = Pick<
  Metrics,
  | 'freeBytes'
  | 'capacityBytes'
  | 'roomBytes'
  | 'logBytes'
  | 'walBytes'
  | 'commitSeconds'
  | 'droppedRecords'
  | 'droppedBytes'
>

export interface LogWatchOptions {
  readonly log: Pick<EventLog, 'capabilities'>
  /** where the log is kept; absent on a broker */
  readonly directory: string | undefined
  /** whose retention is told from the start, and not only once something is dropped */
  readonly topics: readonly string[]
  readonly metrics: LogMetrics
}

/** Tells the metrics how much a log takes, what it has room for, how long its commits take and what its retention drops. */
export class LogWatch {
  readonly #options: LogWatchOptions
  readonly #upkeep: Subscription | undefined

  constructor(options: LogWatchOptions) {
    const { log, topics, metrics } = options
    const { upkeep } = log.capabilities
    this.#options = options
    if (upkeep !== undefined)
      for (const topic of topics) for (const dropped of droppedOf(metrics)) dropped.inc({ topic }, 0)
    this.#upkeep = upkeep?.subscribe(each => {
      if (each.kind === 'committed') return metrics.commitSeconds.observe(each.seconds)
      metrics.droppedRecords.inc({ topic: each.topic }, each.to - each.from)
      metrics.droppedBytes.inc({ topic: each.topic }, each.bytes)
    })
  }

  /** Looks at its size and room. */
  async look(): Promise<void> {
    const { log, directory, metrics } = this.#options
    const room = await log.capabilities.room?.()
    if (room !== undefined) {
      metrics.roomBytes.set(room.bytes)
      metrics.logBytes.set(room.taken)
      metrics.walBytes.set(room.ahead)
    }
    if (directory === undefined) return
    const { bsize, bavail, blocks } = await statfs(directory)
    metrics.freeBytes.set(bsize * bavail)
    metrics.capacityBytes.set(bsize * blocks)
  }

  stop(): void {
    this.#upkeep?.unsubscribe()
  }
}

const droppedOf = ({ droppedRecords, droppedBytes }: LogMetrics) => [droppedRecords, droppedBytes]
