import { statfs } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { type LineageKind, lineageCodec, type Snapshot } from '@eddy/messages'
import { ledgerOf, nextOffset } from '@eddy/stepwise-em'
import { type Context, groupName } from '../stages/context.ts'

/** How often lag and room are looked at, milliseconds. */
const everyMs = 1000

const lineageKinds: readonly LineageKind[] = ['birth', 'death', 'split', 'merge', 'drift']

/**
 * Looks on from outside the stages, once a second: a stage that has stopped cannot report its own lag. Feeds the lag, progress and
 * room metrics, and the health that liveness is judged by.
 */
export async function watch(context: Context, snapshot: () => Snapshot | undefined): Promise<void> {
  const { configuration, log, metrics, health, signal, now } = context
  const { topics } = configuration
  const seen = new Set<string>()
  const learnedTo = new Map<number, number>()

  const report = (stage: string, partition: number, lag: number): void => {
    const labels = { stage, partition: String(partition) }
    if (!seen.has(`${stage}/${partition}`)) {
      seen.add(`${stage}/${partition}`)
      metrics.records.inc(labels, 0)
      metrics.lastProgress.set(labels, now() / 1000)
    }
    metrics.lag.set(labels, lag)
    // While the model warms up, only ingest can be late: the other stages wait for a model.
    if (stage === 'ingest' || snapshot() !== undefined) health.lagging(stage, partition, lag)
  }

  const look = async (): Promise<void> => {
    for (const [stage, topic] of [
      ['ingest', topics.events],
      ['scoring', topics.features],
    ] as const) {
      const positions = await log.positions(topic, groupName(configuration, stage))
      for (const { partition, end } of await log.offsets(topic))
        report(stage, partition, end - (positions.get(partition) ?? 0))
    }
    const newest = snapshot()
    if (newest === undefined) return
    const ledger = ledgerOf(newest.ledger)
    for (const { partition, end } of await log.offsets(topics.features)) {
      const learned = nextOffset(ledger, partition)
      const labels = { stage: 'e-step', partition: String(partition) }
      if (learned !== learnedTo.get(partition)) {
        learnedTo.set(partition, learned)
        metrics.lastProgress.set(labels, now() / 1000)
        health.progressed('e-step', partition, end - learned)
      }
      report('e-step', partition, end - learned)
    }
    for (const { partition, end } of await log.offsets(topics.statistics))
      report('updater', partition, end - newest.statisticsOffset)
  }

  while (!signal.aborted) {
    await look()
    await lookAtRoom(context)
    await delay(everyMs, undefined, { signal }).catch(() => {})
  }
}

async function lookAtRoom({ configuration, metrics }: Context): Promise<void> {
  if (configuration.log.kind !== 'embedded') return
  const { bsize, bavail, blocks } = await statfs(configuration.log.directory)
  metrics.freeBytes.set(bsize * bavail)
  metrics.capacityBytes.set(bsize * blocks)
}

/** Counts what happens to segments from now on. */
export async function countLineage({ configuration, log, metrics, signal }: Context): Promise<void> {
  const { topics, model } = configuration
  for (const kind of lineageKinds) metrics.lineage.inc({ model: model.name, kind }, 0)
  const deliveries = log.consume(topics.lineage, { from: 'latest', signal })
  await new Promise<void>((resolve, reject) =>
    deliveries.subscribe({
      next: delivery => {
        for (const { value } of delivery.records) {
          if (value === null) continue
          const event = lineageCodec.decode(value)
          if (event.model === model.name) metrics.lineage.inc({ model: event.model, kind: event.kind })
        }
        delivery.ack()
      },
      complete: resolve,
      error: reject,
    }),
  )
}
