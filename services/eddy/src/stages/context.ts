import type { FeatureRule } from '@eddy/ingest'
import type { Delivery, EventLog } from '@eddy/log'
import type { Snapshot } from '@eddy/messages'
import type { ModelSpecification } from '@eddy/mixture'
import type { SnapshotSource } from '@eddy/model'
import { type Emission, type Health, type Logger, type Metrics, run } from '@eddy/runtime'
import { type Configuration, groupName } from '@eddy/settings'
import type { ModelThreads } from '@eddy/threads'
import { lastValueFrom, type Observable, tap } from 'rxjs'
import type { Assignments } from './assignments.ts'

/** What every stage of a process shares. */
export interface Context {
  readonly configuration: Configuration
  readonly specification: ModelSpecification
  readonly rules: readonly FeatureRule[]
  readonly log: EventLog
  readonly steps: ModelThreads
  /** newest first, then each as it is published; shared by the stages of a process */
  readonly snapshots: Observable<Snapshot>
  readonly logger: Logger
  readonly metrics: Metrics
  readonly health: Health
  readonly assignments: Assignments
  /** by partition of the features topic, how far statistics have been published */
  readonly published: Map<number, number>
  /** ends the input; what is under way still becomes durable */
  readonly signal: AbortSignal
  readonly now: () => number
}

/** Where the configured model's snapshots are. */
export const snapshotSource = ({
  log,
  configuration,
  logger,
}: Pick<Context, 'log' | 'configuration' | 'logger'>): SnapshotSource => ({
  log,
  topic: configuration.topics.snapshots,
  model: configuration.model.name,
  onDamage: message =>
    logger.error({ message }, 'a snapshot cannot be read: going on from an older one and the statistics after it'),
})

/**
 * Records a stage takes at once: a millisecond's work or two, so that the event loop stays free and little is done for each delivery
 * instead of each record; where each publication is waited for, enough to share a commit.
 */
export const maxRecordsOn = ({ capabilities }: EventLog): number => (capabilities.pipelined ? 1024 : 2048)

const handedOut = new WeakMap<Delivery, number>()

/** Notes when each delivery was handed out, for the time it takes until all it led to is durable. */
export const timed = (deliveries: Observable<Delivery>): Observable<Delivery> =>
  deliveries.pipe(tap(delivery => handedOut.set(delivery, performance.now())))

/** Runs emissions to their end: published, then acknowledged; progress reported. */
export async function runEmissions(
  context: Context,
  name: string,
  emissions: Observable<Emission>,
  onDurable?: (emission: Emission) => void,
): Promise<void> {
  const { metrics, health, log, now, configuration } = context
  const settled = (emission: Emission): void => {
    for (const delivery of emission.settles) {
      const { partition, records, endOffset, nextOffset } = delivery
      const began = handedOut.get(delivery)
      if (began !== undefined) metrics.batchSeconds.observe({ stage: name }, (performance.now() - began) / 1000)
      const labels = { stage: name, partition: String(partition) }
      metrics.records.inc(labels, records.length)
      metrics.lag.set(labels, endOffset - nextOffset)
      metrics.lastProgress.set(labels, now() / 1000)
      health.progressed(name, partition, endOffset - nextOffset)
    }
    onDurable?.(emission)
  }
  await lastValueFrom(run(emissions, { log, group: groupName(configuration, name), onDurable: settled }), {
    defaultValue: undefined,
  })
}
