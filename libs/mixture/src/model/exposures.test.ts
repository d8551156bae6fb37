import { describe, expect, test } from 'vitest'
import { explainer } from '../decide/explain.ts'
import { batchEm } from '../em/estimators/batch-em.ts'
import { stepwiseEm } from '../em/estimators/stepwise-em.ts'
import { fitModel } from '../fit-model.ts'
import { random } from '../numerics/random.ts'
import { componentFamily } from './create-mixture.ts'
import type { FeatureType } from './feature-types.ts'
import { scoreModel } from './model.ts'
import { modelFromJson, modelToJson } from './model-json.ts'
import { createSpecification } from './specification.ts'

/** Two groups of 2 and 12 visits a month, watched between half a month and four: their counts overlap, their rates do not. */
function sample() {
  const uniform = random(4)
  const rows = 900
  const groups = Int32Array.from({ length: rows }, (_, n) => (n % 3 === 0 ? 0 : 1))
  const poisson = (mean: number) => {
    let count = -1
    for (let left = mean; left > 0; count++) left += Math.log(1 - uniform())
    return Math.max(count, 0)
  }
  const values = Float64Array.from(
    [...groups].flatMap(group => {
      const months = group === 0 ? 2 + 2 * uniform() : 0.5 + 0.5 * uniform()
      return [months, poisson([2, 12][group]! * months), poisson([3, 20][group]! * months)]
    }),
  )
  return { groups, block: { rows, columns: 3, values } }
}

const { groups, block } = sample()
const specification = (type: FeatureType) =>
  createSpecification({
    warmUp: { restarts: 2 },
    features: [
      { name: 'months', type: 'exposure' },
      { name: 'visits', type, exposure: 'months' },
      { name: 'clicks', type, exposure: 'months' },
    ],
    components: 2,
  })

const estimators = {
  batch: batchEm({ prior: specification('count').prior }),
  stepwise: stepwiseEm({
    prior: specification('count').prior,
    stepSize: specification('count').stepSize,
    batchSize: 64,
    passes: 2,
  }),
}

describe.each(['count', 'negative-binomial', 'zero-inflated'] as const)('counts of type %s under an exposure', type => {
  test.each(Object.entries(estimators))('are told by their rates, by %s EM', (_, estimator) => {
    const model = fitModel(specification(type), block, undefined, { estimator, random: random(1) })
    const { posterior } = scoreModel(model, block)
    const first = posterior[0]! > 0.5 ? 0 : 1
    const right = groups.filter((group, n) => posterior[2 * n + first]! > 0.5 === (group === 0)).length
    expect(right).toBeGreaterThan(880)
    const { columns, means } = componentFamily(model.specification).moments(model.parameters)
    expect([...columns]).toEqual([1, 2])
    expect(Math.abs(means[2 * first]! - 2)).toBeLessThan(0.3)
    expect(Math.abs(means[2 * (1 - first)]! - 12)).toBeLessThan(1)
  })

  test('are read back from JSON to the same bits, and explained by the counts alone', () => {
    const model = fitModel(specification(type), block, undefined, { estimator: estimators.batch, random: random(1) })
    const read = modelFromJson(JSON.parse(JSON.stringify(modelToJson(model))))
    expect(scoreModel(read, block)).toEqual(scoreModel(model, block))
    const { contributions, logOdds, prior } = explainer(read, random(2))(block.values.slice(0, 3))
    expect(contributions[0]).toBe(0)
    expect(contributions[1]! + contributions[2]! + prior).toBeCloseTo(logOdds!, 9)
  })
})

test('what is no exposure, or nobody’s, is refused by name', () => {
  const of =
    (...features: Parameters<typeof createSpecification>[0]['features']) =>
    () =>
      createSpecification({ features, components: 1 })
  const days = { name: 'days', type: 'exposure' } as const
  expect(of({ name: 'visits', type: 'count', exposure: 'days' })).toThrow(
    'features.visits.exposure: expected a feature of type exposure (there is none), got days',
  )
  expect(of({ name: 'amount', exposure: 'days' }, days)).toThrow(
    'features.amount.exposure: expected none for a number, got days',
  )
  expect(of('amount', days)).toThrow('features.days: expected a count with exposure: days, got none')
})
