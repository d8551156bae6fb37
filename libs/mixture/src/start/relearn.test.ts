import { describe, expect, test } from 'vitest'
import type { Parameters } from '../families/family.ts'
import { createSpecification } from '../model/specification.ts'
import { random, standardNormal } from '../numerics/random.ts'
import { relearn } from './relearn.ts'
import { warmUp } from './warm-up.ts'

const specification = createSpecification({ features: ['x'], components: 2 })

function events(rows: number, centre: (n: number) => number, seed: number) {
  const next = random(seed)
  const values = Float64Array.from({ length: rows }, (_, n) => centre(n) + standardNormal(next))
  return { rows, columns: 1, values }
}

const ones = (rows: number) => new Float64Array(rows).fill(1)

describe('relearn', () => {
  const groups = events(600, n => (n % 2) * 6, 1)
  const model = warmUp(specification, groups, undefined, random(1))

  test('does not prefer a model that is as good, nor one that knows a single odd event better', () => {
    expect(relearn(model, groups, ones(600), false, random(2)).better).toBe(false)
    const odd = { ...groups, values: groups.values.map((x, n) => (n === 100 ? 1e4 : x)) }
    for (const seed of [1, 2, 3, 4, 5, 6])
      expect(relearn(model, odd, ones(600), false, random(seed)).better).toBe(false)
  })

  test('prefers one that knows a group the other has not seen', () => {
    const late = events(600, n => (n % 4 === 0 ? 20 : 0), 3)
    const { better, gain, gainError, expectedLogLikelihood } = relearn(model, late, ones(600), false, random(1))
    expect(better).toBe(true)
    expect(gain).toBeGreaterThan(2 * gainError)
    // Of the true mixture: −½ log 2πe and the entropy of which group it is.
    expect(Math.abs(expectedLogLikelihood - (-1.4189 - 0.5623))).toBeLessThan(0.35)
  })

  // Two groups near each other, and one apart that has two components.
  const three = createSpecification({ features: ['x'], components: 3 })
  const crowd = events(900, n => [0, 6, 40][n % 3]!, 4)
  const stuck = (() => {
    const { parameters } = warmUp(three, crowd, undefined, random(1))
    const z = (x: number) => (x - parameters.transformCentre![0]!) / parameters.transformScale![0]!
    return {
      ...parameters,
      means: Float64Array.of(z(3), z(39.5), z(40.5)),
      weights: Float64Array.of(2 / 3, 1 / 6, 1 / 6),
    }
  })()
  const centres = (parameters: Parameters) =>
    Array.from(parameters.means!, z => z * parameters.transformScale![0]! + parameters.transformCentre![0]!).toSorted(
      (a, b) => a - b,
    )

  test('leaves a maximum that EM itself does not leave', () => {
    const { better, gain, gainError, parameters } = relearn(
      { specification: three, parameters: stuck },
      crowd,
      ones(900),
      false,
      random(1),
    )
    expect(better).toBe(true)
    expect(gain).toBeGreaterThan(2 * gainError)
    for (const [k, centre] of centres(parameters).entries()) expect(Math.abs(centre - [0, 6, 40][k]!)).toBeLessThan(0.3)
  })

  test('lets EM settle where these are all events there were, unless the model is to forget', () => {
    const { parameters } = warmUp(three, crowd, undefined, random(1))
    const unsettled = { ...parameters, means: parameters.means!.map(z => z + 0.01) }
    const judged = (specification: typeof three, complete: boolean) =>
      relearn({ specification, parameters: unsettled }, crowd, ones(900), complete, random(1))
    expect([judged(three, true).better, judged(three, false).better]).toEqual([true, false])
    expect(judged({ ...three, stepSize: { ...three.stepSize, halfLife: 500 } }, true).better).toBe(false)
    const settled = judged(three, true).parameters
    for (const [k, mean] of settled.means!.entries()) expect(mean).toBeCloseTo(parameters.means![k]!, 3)
  })
})
