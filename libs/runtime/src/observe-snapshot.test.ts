import type { Snapshot } from '@eddy/messages'
import { expect, it } from 'vitest'
import { createMetrics } from './metrics.ts'
import { SnapshotObserver } from './observe-snapshot.ts'

/** Of one segment in two features. */
const snapshotOf = (covariances: Float64Array): Snapshot =>
  ({
    model: 'm',
    version: 1n,
    step: 1n,
    specification: JSON.stringify({ prior: { varianceFloor: 1e-3 } }),
    segments: [{ id: 'a', since: 1n }],
    ledger: [],
    createdAt: 0,
    prequentialLogLikelihood: 0,
    effectiveSampleSize: 1,
    parameters: { weights: Float64Array.of(1), means: new Float64Array(2), covariances },
  }) as unknown as Snapshot

it('counts the floored segments of the newest snapshot, when the metrics are read', async () => {
  const metrics = createMetrics()
  const observer = new SnapshotObserver(metrics)
  const read = async () => (await metrics.flooredSegments.get()).values.map(({ value }) => value)
  expect(await read()).toEqual([])
  observer.observe(snapshotOf(Float64Array.of(1, 0.9999, 1)))
  observer.observe(snapshotOf(Float64Array.of(1, 0, 1)))
  expect(await read()).toEqual([0])
  observer.observe(snapshotOf(Float64Array.of(1, 0.9999, 1)))
  expect((await metrics.registry.metrics()).split('\n')).toContain('eddy_model_floored_segments{model="m"} 1')
  expect(await read()).toEqual([1])
})
