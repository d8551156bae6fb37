import { describe, expect, test } from 'vitest'
import { batchEm } from '../em/estimators/batch-em.ts'
import { fitModel } from '../fit-model.ts'
import { createSpecification } from '../model/specification.ts'
import { random, standardNormal } from '../numerics/random.ts'
import { costOf, decide, modelDensity } from './bayes-classifier.ts'
import type { Density } from './density.ts'

/** N(mean, 1). */
const normal = (mean: number): Density => ({
  logDensity: values => values.map(x => -0.5 * (x - mean) ** 2 - 0.5 * Math.log(2 * Math.PI)),
})
const classes = (priorOfA: number) => [
  { name: 'a', prior: priorOfA, density: normal(0) },
  { name: 'b', prior: 1 - priorOfA, density: normal(3) },
]
const at = (priorOfA: number, x: number, costs?: ReadonlyMap<string, number>, reject?: number) =>
  decide(classes(priorOfA), Float64Array.of(x), 1, costs, reject)[0]!

describe('Bayes classifier', () => {
  test('decides where the likelihood ratio crosses the ratio of priors: 3/2 + log(P(a)/P(b))/3', () => {
    for (const prior of [0.5, 0.75, 0.99]) {
      const boundary = 1.5 + Math.log(prior / (1 - prior)) / 3
      expect(at(prior, boundary - 1e-6).decided).toBe(0)
      expect(at(prior, boundary + 1e-6).decided).toBe(1)
      expect(at(prior, boundary).posterior[0]).toBeCloseTo(0.5, 12)
      expect(at(prior, boundary).risk).toBeCloseTo(0.5, 12)
    }
  })

  test('costs move the boundary by their ratio, and doubt is rejected', () => {
    const costs = new Map([['b:a', 20]])
    const boundary = 1.5 + Math.log(3 / 20) / 3
    expect(at(0.75, boundary - 1e-6, costs).decided).toBe(0)
    expect(at(0.75, boundary + 1e-6, costs).decided).toBe(1)
    expect([costOf(costs, 'b', 'a'), costOf(costs, 'a', 'b'), costOf(costs, 'a', 'a')]).toEqual([20, 1, 0])
    expect([-1, 1.8, 5].map(x => at(0.75, x, undefined, 0.1).decided)).toEqual([0, -1, 1])
    expect(at(0.75, 1.8, undefined, 0.1).risk).toBe(0.1)
  })

  test('the density of an event is that of all classes', () => {
    const x = 0.4
    const mixed = [0.75, 0.25].reduce(
      (sum, p, c) => sum + p * Math.exp(classes(0.75)[c]!.density.logDensity(Float64Array.of(x), 1)[0]!),
      0,
    )
    expect(at(0.75, x).logDensity).toBeCloseTo(Math.log(mixed), 12)
  })

  test('a fitted model is a density', () => {
    const uniform = random(5)
    const block = { rows: 1000, columns: 1, values: Float64Array.from({ length: 1000 }, () => standardNormal(uniform)) }
    const specification = createSpecification({ features: ['x'], components: 1, covariance: 'diag' })
    const estimator = batchEm({ prior: specification.prior })
    const model = fitModel(specification, block, undefined, { estimator, random: uniform })
    const mean = block.values.reduce((a, b) => a + b) / 1000
    const variance = block.values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 1000
    const expected = -0.5 * Math.log(2 * Math.PI * variance) - (0.3 - mean) ** 2 / (2 * variance)
    expect(modelDensity(model).logDensity(Float64Array.of(0.3), 1)[0]).toBeCloseTo(expected, 9)
  })
})
