import { describe, expect, test } from 'vitest'
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
    expect(relearn(model, groups, ones(600), random(2)).better).toBe(false)
    const odd = { ...groups, values: groups.values.map((x, n) => (n === 100 ? 1e4 : x)) }
    for (const seed of [1, 2, 3, 4, 5, 6]) expect(relearn(model, odd, ones(600), random(seed)).better).toBe(false)
  })

  test('prefers one that knows a group the other has not seen', () => {
    const late = events(600, n => (n % 4 === 0 ? 20 : 0), 3)
    const { better, gain, gainError, expectedLogLikelihood } = relearn(model, late, ones(600), random(1))
    expect(better).toBe(true)
    expect(gain).toBeGreaterThan(2 * gainError)
    // Of the true mixture: −½ log 2πe and the entropy of which group it is.
    expect(Math.abs(expectedLogLikelihood - (-1.4189 - 0.5623))).toBeLessThan(0.35)
  })
})
