import type { Snapshot } from '@eddy/messages'
import { type Covariance, createSpecification, type FeatureType, type Parameters } from '@eddy/mixture'
import { describe, expect, it } from 'vitest'
import { Drift, flooredSegments } from './model-health.ts'

const segments = ['a', 'b', 'c', 'd', 'e', 'f'].map(id => ({ id, since: 1n }))

function snapshot(types: readonly FeatureType[], covariance: Covariance, parameters: Parameters, step = 0): Snapshot {
  const { weights } = parameters
  const components = weights!.length
  const features = types.map((type, j) => ({ name: `x${j}`, type, categories: 3 }))
  const specification = createSpecification({ features, components, covariance, prior: { varianceFloor: 1e-3 } })
  return {
    step: BigInt(step),
    specification: JSON.stringify(specification),
    segments: segments.slice(0, components),
    parameters,
  } as unknown as Snapshot
}

/** Two segments in two features. */
const numbers = (
  covariance: Covariance,
  means: readonly number[],
  covariances: readonly number[],
  step = 0,
): Snapshot =>
  snapshot(
    ['number', 'number'],
    covariance,
    {
      weights: Float64Array.of(0.5, 0.5),
      means: Float64Array.from(means),
      covariances: Float64Array.from(covariances),
    },
    step,
  )
const apart = [0, 0, 4, 0]

describe('flooredSegments', () => {
  it('counts the segments held at the floor, in every form of covariance', () => {
    // Overall variance: 4 + the mean of the variances in x, the mean of the variances in y.
    expect(flooredSegments(numbers('full', apart, [1, 0, 1, 1, 0, 1]))).toBe(0)
    expect(flooredSegments(numbers('full', apart, [1, 0, 1.999, 1, 0, 0.001]))).toBe(1)
    expect(flooredSegments(numbers('diag', apart, [1, 1, 1, 1]))).toBe(0)
    expect(flooredSegments(numbers('diag', apart, [5.5e-3, 1, 2, 1]))).toBe(0)
    expect(flooredSegments(numbers('diag', apart, [0.005, 1, 1, 1]))).toBe(0)
    expect(flooredSegments(numbers('diag', apart, [0.0044, 1, 1, 1]))).toBe(1)
    expect(flooredSegments(numbers('spherical', apart, [1, 1]))).toBe(0)
    expect(flooredSegments(numbers('tied', apart, [1, 0, 1]))).toBe(0)
  })

  it('counts none of six healthy spherical segments in three features', () => {
    const parameters = {
      weights: new Float64Array(6).fill(1 / 6),
      means: Float64Array.from({ length: 18 }, (_, i) => Math.sin(i)),
      covariances: new Float64Array(6).fill(1),
    }
    expect(flooredSegments(snapshot(['number', 'number', 'number'], 'spherical', parameters))).toBe(0)
  })

  it('sees the numbers beside a count, and has nothing to say about counts alone', () => {
    const mixed = (second: number) =>
      snapshot(['number', 'count'], 'diag', {
        weights: Float64Array.of(0.5, 0.5),
        'number.means': Float64Array.of(0, 4),
        'number.covariances': Float64Array.of(1, second),
        'count.rates': Float64Array.of(1, 2),
      })
    expect(flooredSegments(mixed(1))).toBe(0)
    expect(flooredSegments(mixed(0.004))).toBe(1)
    const counts = { weights: Float64Array.of(0.5, 0.5), rates: Float64Array.of(1, 2, 3, 4) }
    expect(flooredSegments(snapshot(['count', 'count'], 'full', counts))).toBe(undefined)
  })
})

describe('Drift', () => {
  it('is the distance from the smoothed centre, and goes back to 0 when the segment rests', () => {
    const drift = new Drift()
    expect(drift.observe(numbers('diag', apart, [4, 4, 1, 1]))).toEqual(
      new Map([
        ['a', 0],
        ['b', 0],
      ]),
    )
    const moved = drift.observe(numbers('diag', [2, 2, 4, 0], [4, 4, 1, 1], 1))
    expect(moved.get('a')).toBeCloseTo(Math.exp(-1 / 100), 9)
    expect(moved.get('b')).toBe(0)
    expect(drift.observe(numbers('diag', [2, 2, 4, 0], [4, 4, 1, 1], 701)).get('a')).toBeLessThan(0.001)
  })

  it('of a segment that went and came back begins anew, as does all where the features changed', () => {
    const drift = new Drift()
    const at = (x: number, step: number, ids = ['a', 'b']) => ({
      ...numbers('diag', [x, 0, 4, 0], [1, 1, 1, 1], step),
      segments: ids.map(id => ({ id, since: 1n })),
    })
    drift.observe(at(0, 0))
    drift.observe(at(0, 1, ['c', 'b']))
    expect(drift.observe(at(3, 2)).get('a')).toBe(0)
    expect(drift.observe(at(0, 3)).get('a')).toBeGreaterThan(1)
    const spherical = { ...numbers('spherical', [9, 9, 4, 0], [1, 1], 4) }
    expect([...drift.observe(spherical).values()]).toEqual([0, 0])
  })

  it('is not measured from a provisional model: what follows one begins anew', () => {
    const drift = new Drift()
    const unit = [1, 0, 1, 1, 0, 1]
    drift.observe({ ...numbers('full', apart, unit), provisional: true })
    // Learned anew from twice the events: its segments may lie anywhere.
    expect([...drift.observe({ ...numbers('full', [9, 9, 4, 0], unit), provisional: true }).values()]).toEqual([0, 0])
    expect([...drift.observe(numbers('full', [5, 5, 4, 0], unit)).values()]).toEqual([0, 0])
    expect(drift.observe(numbers('full', [7, 5, 4, 0], unit, 10)).get('a')).toBeGreaterThan(1)
  })

  it('sees every type of feature beside others', () => {
    const types: readonly FeatureType[] = ['number', 'count', 'category', 'boolean']
    const at = (change: Record<string, readonly number[]>, step: number) =>
      snapshot(
        types,
        'diag',
        {
          weights: Float64Array.of(0.5, 0.5),
          'number.means': Float64Array.of(0, 4),
          'number.covariances': Float64Array.of(1, 1),
          'count.rates': Float64Array.of(4, 9),
          'category.probabilities': Float64Array.of(0.2, 0.3, 0.5, 0.6, 0.2, 0.2),
          'boolean.probabilities': Float64Array.of(0.5, 0.1),
          ...Object.fromEntries(Object.entries(change).map(([name, array]) => [name, Float64Array.from(array)])),
        },
        step,
      )
    const distance = (change: Record<string, readonly number[]>) => {
      const drift = new Drift()
      drift.observe(at({}, 0))
      const moved = drift.observe(at(change, 1))
      expect(moved.get('b')).toBe(0)
      return moved.get('a')!
    }
    // One of four features has moved by v standard deviations, smoothed over a hundred updates: v/2 · e^−.01.
    const share = Math.exp(-1 / 100) / 2
    expect(distance({ 'number.means': [1, 4] })).toBeCloseTo(share, 9)
    // Rates 4 and 8: the variance is between.
    expect(distance({ 'count.rates': [8, 9] })).toBeCloseTo((share * 4) / Math.sqrt((8 + 4.04) / 2), 3)
    expect(distance({ 'boolean.probabilities': [0.9, 0.1] })).toBeCloseTo(
      (share * 0.4) / Math.sqrt((0.09 + 0.25) / 2),
      2,
    )
    const categories = distance({ 'category.probabilities': [0.5, 0.3, 0.2, 0.6, 0.2, 0.2] })
    expect(categories).toBeGreaterThan(0.2)
    // A value that is no longer seen is a shift of its share, not of infinitely many standard deviations.
    expect(distance({ 'category.probabilities': [1e-12, 0.5, 0.5, 0.6, 0.2, 0.2] })).toBeLessThan(0.5)
  })
})

it('counts under an exposure drift by their rates; the exposure is no segment’s, and nothing is held at a floor', () => {
  const specification = createSpecification({
    features: [
      { name: 'days', type: 'exposure' },
      { name: 'visits', type: 'negative-binomial', exposure: 'days' },
      { name: 'orders', type: 'zero-inflated', exposure: 'days' },
    ],
    components: 2,
  })
  const at = (visits: number, step: number) =>
    ({
      step: BigInt(step),
      specification: JSON.stringify(specification),
      segments: segments.slice(0, 2),
      parameters: {
        weights: Float64Array.of(0.5, 0.5),
        'negative-binomial.means': Float64Array.of(visits, 9),
        'negative-binomial.sizes': Float64Array.of(4, 4),
        'zero-inflated.rates': Float64Array.of(2, 3),
        'zero-inflated.zeros': Float64Array.of(0.5, 0.1),
      },
    }) as unknown as Snapshot
  const drift = new Drift()
  drift.observe(at(4, 0))
  const moved = drift.observe(at(8, 1))
  expect(moved.get('b')).toBe(0)
  // One of two features: from mean 4 and variance 8 to mean 8 and variance 24, the variance between.
  expect(moved.get('a')).toBeCloseTo((Math.exp(-1 / 100) * 4) / Math.sqrt(16) / Math.SQRT2, 2)
  expect(flooredSegments(at(4, 0))).toBe(undefined)
})
