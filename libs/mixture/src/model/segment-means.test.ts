import { describe, expect, it } from 'vitest'
import { batchEm } from '../em/estimators/batch-em.ts'
import { fitModel } from '../fit-model.ts'
import { random, standardNormal } from '../numerics/random.ts'
import { segmentMeans } from './segment-means.ts'
import type { FeatureSpecification } from './specification.ts'
import { createSpecification } from './specification.ts'

const draw = random(5)
const column = (length: number, value: (n: number) => number) => ({
  rows: length,
  columns: 1,
  values: Float64Array.from({ length }, (_, n) => value(n)),
})
const meanOf = (values: Float64Array) => values.reduce((a, b) => a + b, 0) / values.length

function fitted(
  feature: Omit<FeatureSpecification, 'name' | 'type'>,
  block: ReturnType<typeof column>,
  family: 'gaussian' | 'student-t' = 'gaussian',
) {
  const specification = createSpecification({ features: [{ name: 'x', ...feature }], components: 1, family })
  const { parameters } = fitModel(specification, block, undefined, {
    estimator: batchEm({ prior: specification.prior }),
    random: random(1),
  })
  return segmentMeans(specification, parameters)[0]![0]!
}

describe('the means of segments', () => {
  const amounts = column(20_000, () => Math.expm1(5 + 0.9 * standardNormal(draw)))
  const logs = amounts.values.map(Math.log1p)

  it('of what is not bent is the mean of the events', () => {
    expect(fitted({}, amounts) / meanOf(amounts.values)).toBeCloseTo(1, 10)
  })

  it('of log1p is that of the lognormal, far above the median, and near the mean of the events', () => {
    const m = meanOf(logs)
    const variance = meanOf(logs.map(y => (y - m) ** 2))
    const mean = fitted({ transform: 'log1p' }, amounts)
    expect(mean / Math.expm1(m + variance / 2)).toBeCloseTo(1, 5)
    expect(mean / meanOf(amounts.values)).toBeCloseTo(1, 1)
    expect(mean).toBeGreaterThan(1.4 * Math.expm1(m))
  })

  it('counts the events at an atom', () => {
    const half = column(20_000, n => (n % 4 === 0 ? 0 : amounts.values[n]!))
    expect(fitted({ transform: 'log1p', atom: 0 }, half) / meanOf(half.values)).toBeCloseTo(1, 1)
  })

  it('of a bent student-t is not told', () => {
    expect(fitted({ transform: 'log1p' }, amounts, 'student-t')).toBeNaN()
  })
})
