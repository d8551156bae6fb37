import type { Snapshot } from '@eddy/messages'
import type { Context } from '../stages/context.ts'

/** Model health, as Prometheus sees it. */
export function observeSnapshot(snapshot: Snapshot, { metrics }: Pick<Context, 'metrics'>): void {
  const model = { model: snapshot.model }
  metrics.snapshotVersion.set(model, Number(snapshot.version))
  metrics.snapshotTimestamp.set(model, snapshot.createdAt / 1000)
  metrics.step.set(model, Number(snapshot.step))
  metrics.logLikelihood.set(model, snapshot.prequentialLogLikelihood)
  metrics.effectiveSampleSize.set(model, snapshot.effectiveSampleSize)
  metrics.learnedEvents.set(model, Number(snapshot.ledger.reduce((sum, { events }) => sum + events, 0n)))
  const weights = snapshot.parameters.weights as Float64Array
  for (const [k, { id }] of snapshot.segments.entries())
    metrics.segmentWeight.set({ ...model, segment: id }, weights[k]!)
}
