import { setTimeout as delay } from 'node:timers/promises'
import type { EventLog } from '@eddy/log'
import type { LedgerEntry, Snapshot } from '@eddy/messages'
import { ledgerOf } from '@eddy/model'
import type { Assignments } from './assignments.ts'
import type { Health } from './health.ts'
import { committedPosition, lagOf, learnedPosition } from './lag.ts'
import { type LogMetrics, LogWatch } from './log-watch.ts'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'

/** How often lag and room are looked at, milliseconds. */
const everyMs = 1000

/** A broker that has not answered for so long is away, milliseconds. */
const patienceMs = 5000

export type WatchedStage = 'ingest' | 'scoring' | 'e-step' | 'updater'

export interface WatchOptions {
  readonly log: Pick<EventLog, 'capabilities' | 'offsets' | 'positions'>
  readonly topics: { readonly events: string; readonly features: string; readonly statistics: string }
  /** name of a stage's consumer group */
  readonly groupOf: (stage: WatchedStage) => string
  /** where the embedded log is kept; absent on a broker, which may be away for a while */
  readonly directory?: string | undefined
  readonly assignments: Assignments
  /** by partition of the features topic, how far statistics have been published */
  readonly published: ReadonlyMap<number, number>
  /** the newest one */
  readonly snapshot: () => Snapshot | undefined
  /** whether so few feature vectors may wait for a full mini-batch, because more input is known to come: the E-step is not late then */
  readonly mayWait?: ((vectors: number) => boolean) | undefined
  readonly metrics: Pick<Metrics, 'lag' | 'records' | 'lastProgress'> & LogMetrics
  readonly health: Pick<Health, 'progressed' | 'lagging' | 'forget' | 'answered' | 'unanswered'>
  readonly logger: Pick<Logger, 'warn'>
  readonly signal: AbortSignal
  readonly now: () => number
}

/**
 * Looks on from outside the stages, once a second: a stage that has stopped cannot report its own lag. Feeds the lag, progress and
 * room metrics, and the health that liveness is judged by. Of a stage whose partitions are shared with other processes only those count
 * that this one holds; until the group has said which, all of them, but not for liveness.
 */
export async function watch(stages: readonly WatchedStage[], options: WatchOptions): Promise<void> {
  const watcher = new Watcher(options)
  const { log, directory, topics, metrics, health, logger, signal } = options
  const logWatch = new LogWatch({ log, directory, topics: Object.values(topics), metrics })
  signal.addEventListener('abort', () => logWatch.stop(), { once: true })
  while (!signal.aborted) {
    // A log in this process that does not answer is stuck as the process is.
    const away = directory === undefined ? setTimeout(() => health.unanswered(), patienceMs) : undefined
    try {
      for (const stage of stages) await watcher.look(stage)
      await logWatch.look()
      health.answered()
    } catch (error) {
      // A broker that is away for a while is no reason to end: who needs it finds out.
      if (directory !== undefined) throw error
      health.unanswered()
      if (!signal.aborted) logger.warn({ error: (error as Error).message }, 'lag cannot be looked at')
    } finally {
      clearTimeout(away)
    }
    await delay(everyMs, undefined, { signal }).catch(() => {})
  }
}

class Watcher {
  readonly #options: WatchOptions
  readonly #reported = new Set<string>()
  readonly #learned = new Map<number, LedgerEntry>()
  /** a stage that waits for room is not stuck: a restart would not help */
  #full = false

  constructor(options: WatchOptions) {
    this.#options = options
  }

  async look(stage: WatchedStage): Promise<void> {
    const { room } = this.#options.log.capabilities
    this.#full = room !== undefined && (await room()).full
    const { topics, snapshot } = this.#options
    if (stage === 'ingest') return this.#lookAtGroup('ingest', topics.events)
    if (stage === 'scoring') return this.#lookAtGroup('scoring', topics.features)
    const newest = snapshot()
    // A provisional model is learned from nothing but the warm-up.
    if (newest === undefined || newest.provisional) return
    if (stage === 'updater') return this.#lookAtGroup('updater', topics.statistics, newest.statisticsOffset)
    await this.#lookAtLedger(newest)
  }

  /** @param begin where the group begins when it has no position */
  async #lookAtGroup(stage: WatchedStage, topic: string, begin = 0): Promise<void> {
    const { log, groupOf } = this.#options
    const position = await committedPosition(log, topic, groupOf(stage), begin)
    for (const { partition, lag } of await lagOf(log, topic, position)) this.#report(stage, partition, lag)
  }

  /** The E-step settles nothing: the ledger says what it has led to. */
  async #lookAtLedger(newest: Snapshot): Promise<void> {
    const { log, topics, metrics, health, now, assignments, published, mayWait } = this.#options
    const ledger = ledgerOf(newest.ledger)
    // Statistics that retention has dropped will never be folded: the worker must begin again.
    const [stored = { start: 0, end: 0 }] = await log.offsets(topics.statistics)
    const toFold = stored.end > Math.max(stored.start, newest.statisticsOffset)
    for (const { partition, position, lag } of await lagOf(log, topics.features, learnedPosition(newest))) {
      const before = this.#learned.get(partition)
      const entry = ledger.get(partition) ?? { partition, next: 0, events: 0n, offsetsHash: 0n }
      if (position !== before?.next && assignments.holds('e-step', partition) !== false) {
        const labels = { stage: 'e-step', partition: String(partition) }
        metrics.records.inc(labels, Number(entry.events - (before ?? entry).events))
        metrics.lastProgress.set(labels, now() / 1000)
        health.progressed('e-step', partition, lag)
      }
      this.#learned.set(partition, entry)
      const waitsForUpdater = toFold && (published.get(partition) ?? 0) > position
      this.#report('e-step', partition, lag, waitsForUpdater || mayWait?.(lag) === true)
    }
  }

  /** @param excused the stage has done its part, and waits for another one */
  #report(stage: WatchedStage, partition: number, lag: number, excused = false): void {
    const { metrics, health, now, assignments, snapshot } = this.#options
    const labels = { stage, partition: String(partition) }
    const key = `${stage}/${partition}`
    const held = assignments.holds(stage, partition)
    if (held === false) {
      health.forget(stage, partition)
      metrics.lag.remove(labels)
      metrics.lastProgress.remove(labels)
      this.#reported.delete(key)
      return
    }
    if (!this.#reported.has(key)) {
      this.#reported.add(key)
      metrics.records.inc(labels, 0)
      metrics.lastProgress.set(labels, now() / 1000)
    }
    metrics.lag.set(labels, lag)
    // While the model warms up, only ingest can be late: the other stages wait for a model.
    if (held === true && (stage === 'ingest' || snapshot() !== undefined))
      health.lagging(stage, partition, excused || this.#full ? 0 : lag)
  }
}
