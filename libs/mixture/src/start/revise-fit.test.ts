import { expect, test } from 'vitest'
import { stepwiseEm } from '../em/estimators/stepwise-em.ts'
import { fitModel } from '../fit-model.ts'
import { scoreModel } from '../model/model.ts'
import { createSpecification } from '../model/specification.ts'
import { random, standardNormal } from '../numerics/random.ts'

/** 1,000 events around 0, 500 around 12; `place` says in which order. */
function events(place: (n: number) => boolean) {
  const next = random(5)
  const values = Float64Array.from({ length: 1500 }, (_, n) => (place(n) ? 12 : 0) + standardNormal(next))
  return { rows: 1500, columns: 1, values }
}

test.each([
  ['sorted', (n: number) => n >= 1000],
  ['late, then mixed', (n: number) => n >= 600 && n % 9 < 5],
  ['mixed', (n: number) => n % 3 === 0],
])('one pass over events that are %s finds what batch EM finds', (_, place) => {
  const specification = createSpecification({ features: ['x'], components: 2, warmUp: { events: 200 } })
  const estimator = stepwiseEm({ ...specification, batchSize: 64 })
  const { parameters } = fitModel(specification, events(place), undefined, { estimator, random: random(1) })
  const { weights, means, transformCentre, transformScale } = parameters as Record<string, Float64Array>
  const found = [0, 1]
    .map(k => ({ weight: weights![k]!, mean: means![k]! * transformScale![0]! + transformCentre![0]! }))
    .toSorted((a, b) => a.mean - b.mean)
  const late = Array.from({ length: 1500 }, (_, n) => n).filter(place).length / 1500
  expect(Math.abs(found[0]!.mean)).toBeLessThan(0.2)
  expect(Math.abs(found[1]!.mean - 12)).toBeLessThan(0.2)
  expect(Math.abs(found[1]!.weight - late)).toBeLessThan(0.005)
})

test('one pass from a warm-up that is too small to show where the segments are ends as one from a large one', () => {
  const next = random(7)
  const centres = Array.from({ length: 12 }, () => 5 * standardNormal(next))
  const values = Float64Array.from(
    { length: 8000 },
    (_, i) => centres[2 * ((i >> 1) % 6) + (i % 2)]! + standardNormal(next),
  )
  const block = { rows: 4000, columns: 2, values }
  const meanOf = (events: number, seed: number) => {
    const specification = createSpecification({ features: ['x', 'y'], components: 6, warmUp: { events } })
    const model = fitModel(specification, block, undefined, {
      estimator: stepwiseEm(specification),
      random: random(seed),
    })
    return scoreModel(model, block).logDensity.reduce((sum, x) => sum + x, 0) / block.rows
  }
  const large = meanOf(4000, 1)
  for (const seed of [1, 2, 3, 4]) expect(large - meanOf(80, seed)).toBeLessThan(0.02)
})
