import { statfs } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { LedgerEntry, Snapshot } from '@eddy/messages'
import { ledgerOf, nextOffset } from '@eddy/model'
import { groupName } from '@eddy/settings'
import type { Context } from './context.ts'

/** How often lag and room are looked at, milliseconds. */
const everyMs = 1000

export type WatchedStage = 'ingest' | 'scoring' | 'e-step' | 'updater'

/**
 * Looks on from outside the stages, once a second: a stage that has stopped cannot report its own lag. Feeds the lag, progress and
 * room metrics, and the health that liveness is judged by. Of a stage whose partitions are shared with other processes only those count
 * that this one holds; until the group has said which, all of them, but not for liveness.
 */
export async function watch(
  context: Context,
  stages: readonly WatchedStage[],
  snapshot: () => Snapshot | undefined,
): Promise<void> {
  const watcher = new Watcher(context, snapshot)
  const { configuration, logger, signal } = context
  while (!signal.aborted) {
    try {
      for (const stage of stages) await watcher.look(stage)
      await lookAtRoom(context)
    } catch (error) {
      // A broker that is away for a while is no reason to end: who needs it finds out.
      if (configuration.log.kind !== 'kafka') throw error
      if (!signal.aborted) logger.warn({ error: (error as Error).message }, 'lag cannot be looked at')
    }
    await delay(everyMs, undefined, { signal }).catch(() => {})
  }
}

class Watcher {
  readonly #context: Context
  readonly #snapshot: () => Snapshot | undefined
  readonly #reported = new Set<string>()
  readonly #learned = new Map<number, LedgerEntry>()

  constructor(context: Context, snapshot: () => Snapshot | undefined) {
    this.#context = context
    this.#snapshot = snapshot
  }

  async look(stage: WatchedStage): Promise<void> {
    const { topics } = this.#context.configuration
    if (stage === 'ingest') return this.#lookAtGroup('ingest', topics.events)
    if (stage === 'scoring') return this.#lookAtGroup('scoring', topics.features)
    const newest = this.#snapshot()
    if (newest === undefined) return
    if (stage === 'updater') return this.#lookAtGroup('updater', topics.statistics, newest.statisticsOffset)
    await this.#lookAtLedger(newest)
  }

  /** @param begin where the group begins when it has no position */
  async #lookAtGroup(stage: WatchedStage, topic: string, begin = 0): Promise<void> {
    const { log, configuration } = this.#context
    const positions = await log.positions(topic, groupName(configuration, stage))
    for (const { partition, end } of await log.offsets(topic))
      this.#report(stage, partition, Math.max(0, end - (positions.get(partition) ?? begin)))
  }

  /** The E-step settles nothing: the ledger says what it has led to. */
  async #lookAtLedger(newest: Snapshot): Promise<void> {
    const { log, configuration, metrics, health, now, assignments, published } = this.#context
    const ledger = ledgerOf(newest.ledger)
    for (const { partition, end } of await log.offsets(configuration.topics.features)) {
      const learned = nextOffset(ledger, partition)
      const before = this.#learned.get(partition)
      const entry = ledger.get(partition) ?? { partition, next: 0, events: 0n, offsetsHash: 0n }
      if (learned !== before?.next && assignments.holds('e-step', partition) !== false) {
        const labels = { stage: 'e-step', partition: String(partition) }
        metrics.records.inc(labels, Number(entry.events - (before ?? entry).events))
        metrics.lastProgress.set(labels, now() / 1000)
        health.progressed('e-step', partition, end - learned)
      }
      this.#learned.set(partition, entry)
      const waitsForUpdater = (published.get(partition) ?? 0) > learned
      this.#report('e-step', partition, Math.max(0, end - learned), waitsForUpdater)
    }
  }

  /** @param excused the stage has done its part, and waits for another one */
  #report(stage: WatchedStage, partition: number, lag: number, excused = false): void {
    const { metrics, health, now, assignments } = this.#context
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
    if (held === true && (stage === 'ingest' || this.#snapshot() !== undefined))
      health.lagging(stage, partition, excused ? 0 : lag)
  }
}

async function lookAtRoom({ configuration, metrics }: Context): Promise<void> {
  if (configuration.log.kind !== 'embedded') return
  const { bsize, bavail, blocks } = await statfs(configuration.log.directory)
  metrics.freeBytes.set(bsize * bavail)
  metrics.capacityBytes.set(bsize * blocks)
}
