import { expect, test } from 'vitest'
import { stepwiseEm } from '../em/estimators/stepwise-em.ts'
import { fitModel } from '../fit-model.ts'
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
