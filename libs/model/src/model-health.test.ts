import type { Snapshot } from '@eddy/messages'
import { describe, expect, it } from 'vitest'
import { Drift, flooredSegments } from './model-health.ts'

/** Two segments in two features. */
function snapshot(means: readonly number[], covariances: readonly number[], step = 0): Snapshot {
  return {
    step: BigInt(step),
    specification: JSON.stringify({ prior: { varianceFloor: 1e-3 } }),
    segments: [
      { id: 'a', since: 1n },
      { id: 'b', since: 1n },
    ],
    parameters: {
      weights: Float64Array.of(0.5, 0.5),
      means: Float64Array.from(means),
      covariances: Float64Array.from(covariances),
    },
  } as unknown as Snapshot
}
const apart = [0, 0, 4, 0]

describe('flooredSegments', () => {
  it('counts the segments held at the floor, in every form of covariance', () => {
    // Overall variance: 4 + the mean of the variances in x, the mean of the variances in y.
    const overall = [4 + 1, 1] as const
    expect(flooredSegments(snapshot(apart, [1, 0, 1, 1, 0, 1]))).toBe(0)
    expect(flooredSegments(snapshot(apart, [1, 0, 1.999, 1, 0, 0.001]))).toBe(1)
    expect(flooredSegments(snapshot(apart, [1, 1, 1, 1]))).toBe(0)
    expect(flooredSegments(snapshot(apart, [overall[0] * 1.1e-3, 1, 2, 1]))).toBe(0)
    expect(flooredSegments(snapshot(apart, [0.005, 1, 1, 1]))).toBe(0)
    expect(flooredSegments(snapshot(apart, [0.0044, 1, 1, 1]))).toBe(1)
    expect(flooredSegments(snapshot(apart, [1, 1]))).toBe(0)
  })

  it('sees a direction between the features', () => {
    expect(flooredSegments(snapshot([0, 0, 0, 0], [1, 0.9999, 1, 1, 0, 1]))).toBe(1)
    expect(flooredSegments(snapshot([0, 0, 0, 0], [1, 0.99, 1, 1, 0, 1]))).toBe(0)
  })

  it('has nothing to say about counts and categories', () => {
    const { parameters, ...rest } = snapshot(apart, [])
    expect(flooredSegments({ ...rest, parameters: { weights: parameters.weights!, rates: new Float64Array(4) } })).toBe(
      undefined,
    )
  })
})

describe('Drift', () => {
  it('is the distance from the smoothed centre, and goes back to 0 when the segment rests', () => {
    const drift = new Drift()
    expect(drift.observe(snapshot(apart, [4, 4, 1, 1]))).toEqual(
      new Map([
        ['a', 0],
        ['b', 0],
      ]),
    )
    const moved = drift.observe(snapshot([2, 2, 4, 0], [4, 4, 1, 1], 1))
    expect(moved.get('a')).toBeCloseTo(Math.exp(-1 / 100), 9)
    expect(moved.get('b')).toBe(0)
    expect(drift.observe(snapshot([2, 2, 4, 0], [4, 4, 1, 1], 701)).get('a')).toBeLessThan(0.001)
  })
})
