import type { Snapshot } from '@eddy/messages'
import { createSpecification } from '@eddy/mixture'
import { expect, it } from 'vitest'
import { createMetrics } from './metrics.ts'
import { SnapshotObserver } from './observe-snapshot.ts'

/** Of one segment in two features. */
const snapshotOf = (covariances: Float64Array): Snapshot =>
  ({
    model: 'm',
    version: 1n,
    step: 1n,
    specification: JSON.stringify(
      createSpecification({ features: ['x', 'y'], components: 1, prior: { varianceFloor: 1e-3 } }),
    ),
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

it('shows drift and floors of a model with a count among its features', async () => {
  const metrics = createMetrics()
  const observer = new SnapshotObserver(metrics)
  const features = ['x', { name: 'n', type: 'count' as const }]
  const specification = createSpecification({ features, components: 1, covariance: 'diag' })
  const at = (step: bigint, rate: number): Snapshot => ({
    ...snapshotOf(new Float64Array()),
    step,
    specification: JSON.stringify(specification),
    parameters: {
      weights: Float64Array.of(1),
      'number.means': Float64Array.of(0),
      'number.covariances': Float64Array.of(1),
      'count.rates': Float64Array.of(rate),
    },
  })
  observer.observe(at(1n, 4))
  observer.observe(at(2n, 9))
  const text = await metrics.registry.metrics()
  expect(text).toContain('eddy_model_floored_segments{model="m"} 0')
  expect(text).toMatch(/eddy_segment_drift_sigma\{model="m",segment="a"\} 1\.\d+/)
})
