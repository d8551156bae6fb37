import type { Delivery, EventLog } from '@eddy/log'
import { lastValueFrom, type Observable, tap } from 'rxjs'
import type { Health } from './health.ts'
import type { Metrics } from './metrics.ts'
import { type Emission, run } from './stage.ts'

export interface RunStageOptions {
  readonly log: EventLog
  /** what the stage is called in metrics and health */
  readonly stage: string
  /** its consumer group */
  readonly group: string
  readonly metrics: Pick<Metrics, 'batchSeconds' | 'records' | 'lag' | 'lastProgress'>
  readonly health: Pick<Health, 'progressed'>
  readonly now: () => number
  /** until then, a full disk is waited for */
  readonly signal: AbortSignal
  /** told of each emission after it is durable */
  readonly onDurable?: ((emission: Emission) => void) | undefined
}

/**
 * Records a stage takes at once: a millisecond's work or two, so that the event loop stays free and little is done for each delivery
 * instead of each record; where each publication is waited for, enough to share a commit.
 */
export const maxRecordsOn = ({ capabilities }: EventLog): number => (capabilities.pipelined ? 1024 : 2048)

const handedOut = new WeakMap<Delivery, number>()

/** Notes when each delivery was handed out, for the time it takes until all it led to is durable. */
export const timed = (deliveries: Observable<Delivery>): Observable<Delivery> =>
  deliveries.pipe(tap(delivery => handedOut.set(delivery, performance.now())))

/** Runs a stage's emissions to their end: published, then acknowledged; progress reported. */
export async function runStage(emissions: Observable<Emission>, options: RunStageOptions): Promise<void> {
  const { log, stage, group, metrics, health, now, signal, onDurable } = options
  const settled = (emission: Emission): void => {
    for (const delivery of emission.settles) {
      const { partition, records, endOffset, nextOffset } = delivery
      const began = handedOut.get(delivery)
      if (began !== undefined) metrics.batchSeconds.observe({ stage }, (performance.now() - began) / 1000)
      const labels = { stage, partition: String(partition) }
      metrics.records.inc(labels, records.length)
      metrics.lag.set(labels, endOffset - nextOffset)
      metrics.lastProgress.set(labels, now() / 1000)
      health.progressed(stage, partition, endOffset - nextOffset)
    }
    onDurable?.(emission)
  }
  await lastValueFrom(run(emissions, { log, group, patient: () => !signal.aborted, onDurable: settled }), {
    defaultValue: undefined,
  })
}
