import type { Snapshot } from '@eddy/messages'
import { Drift, flooredSegments } from '@eddy/model'
import type { Metrics } from './metrics.ts'

/** Model health, as Prometheus sees it: told of each snapshot in turn. */
export class SnapshotObserver {
  readonly #metrics: Metrics
  readonly #drift = new Drift()
  #segments: ReadonlySet<string> = new Set()
  /** whose floored segments have not been counted */
  #uncounted: Snapshot | undefined

  constructor(metrics: Metrics) {
    this.#metrics = metrics
    metrics.onRead.push(() => this.#countFloored())
  }

  observe(snapshot: Snapshot): void {
    const metrics = this.#metrics
    const model = { model: snapshot.model }
    metrics.snapshotVersion.set(model, Number(snapshot.version))
    metrics.snapshotTimestamp.set(model, snapshot.createdAt / 1000)
    metrics.step.set(model, Number(snapshot.step))
    metrics.logLikelihood.set(model, snapshot.prequentialLogLikelihood)
    metrics.effectiveSampleSize.set(model, snapshot.effectiveSampleSize)
    metrics.learnedEvents.set(model, Number(snapshot.ledger.reduce((sum, { events }) => sum + events, 0n)))
    this.#uncounted = snapshot
    const weights = snapshot.parameters.weights as Float64Array
    for (const [k, { id }] of snapshot.segments.entries())
      metrics.segmentWeight.set({ ...model, segment: id }, weights[k]!)
    for (const [segment, distance] of this.#drift.observe(snapshot))
      metrics.segmentDrift.set({ ...model, segment }, distance)
    this.#forgetDead(snapshot)
  }

  /** A matrix to factor for each segment, so not for every snapshot. */
  #countFloored(): void {
    const snapshot = this.#uncounted
    if (snapshot === undefined) return
    this.#uncounted = undefined
    const floored = flooredSegments(snapshot)
    if (floored !== undefined) this.#metrics.flooredSegments.set({ model: snapshot.model }, floored)
  }

  /** A segment that died leaves no series behind. */
  #forgetDead({ model, segments }: Snapshot): void {
    const living = new Set(segments.map(({ id }) => id))
    for (const segment of this.#segments) {
      if (living.has(segment)) continue
      this.#metrics.segmentWeight.remove({ model, segment })
      this.#metrics.segmentDrift.remove({ model, segment })
    }
    this.#segments = living
  }
}
