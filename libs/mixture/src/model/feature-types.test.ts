import { describe, expect, test } from 'vitest'
import { batchEm } from '../em/estimators/batch-em.ts'
import { fitModel } from '../fit-model.ts'
import { type Random, random, standardNormal } from '../numerics/random.ts'
import { createMixture, freeParameters } from './create-mixture.ts'
import { describeType, type FeatureType, featureTypes } from './feature-types.ts'
import { scoreModel } from './model.ts'
import { modelFromJson, modelToJson } from './model-json.ts'
import { createSpecification } from './specification.ts'

type LearnedType = Exclude<FeatureType, 'exposure'>

/** All but those that are given: see `exposures.test.ts`. */
const learnedTypes = featureTypes.filter((type): type is LearnedType => !describeType(type).given)

/** A value of each type, small in group 0 and large in group 1. */
const VALUES: Readonly<Record<LearnedType, (random: Random, group: number) => number>> = {
  number: (random, group) => 8 * group + standardNormal(random),
  count: (random, group) => Math.floor((1 + 20 * group) * (0.5 + random())),
  'negative-binomial': (random, group) => Math.floor(-Math.log(1 - random()) * (group === 0 ? 1 : 40)),
  'zero-inflated': (random, group) => (random() < 0.3 ? 0 : Math.floor((1 + 20 * group) * (0.5 + random()))),
  duration: (random, group) => -Math.log(1 - random()) * (group === 0 ? 0.1 : 50),
  category: (random, group) => (random() < 0.05 ? 1 - group : group),
  boolean: (random, group) => Number(random() < 0.05 ? group === 0 : group === 1),
}

const sample = (types: readonly LearnedType[]) => {
  const uniform = random(3)
  const rows = 600
  const values = Float64Array.from({ length: rows * types.length }, (_, i) =>
    uniform() < 0.05
      ? Number.NaN
      : VALUES[types[i % types.length]!](uniform, Math.floor(i / types.length) < rows / 3 ? 0 : 1),
  )
  return { rows, columns: types.length, values }
}

/** Two components. Of features of two values three are needed to tell these apart (Goodman 1974). */
function fitted(types: readonly LearnedType[]) {
  const features = types.map((type, j) => ({ name: `${type}${j}`, type, categories: 2 }))
  const specification = createSpecification({ features, components: 2, covariance: 'diag' })
  const block = sample(types)
  const estimator = batchEm({ prior: specification.prior })
  return { block, model: fitModel(specification, block, undefined, { estimator, random: random(1) }) }
}

describe.each(learnedTypes)('a feature of type %s', type => {
  const { block, model } = fitted([type, type, type])
  const { specification, parameters } = model

  test('finds two groups of a third and two thirds', () => {
    const weights = [...parameters.weights!].toSorted()
    expect(weights[0]).toBeGreaterThan(0.28)
    expect(weights[0]).toBeLessThan(0.38)
  })

  test('is written to JSON in words of its own, and read back to the same bits', () => {
    const json = modelToJson(model)
    const read = modelFromJson(JSON.parse(JSON.stringify(json)))
    expect(scoreModel(read, block)).toEqual(scoreModel(model, block))
    const { json: place, written } = describeType(type)
    if (place === undefined) expect(written).toBe('name')
    else {
      const told = json as unknown as Record<string, unknown>
      expect(told[place.names]).toEqual([`${type}0`, `${type}1`, `${type}2`])
      expect(told[place.typical]).toHaveLength(2)
    }
  })

  test('has free parameters, and moments of each of its columns', () => {
    const one = createSpecification({ ...specification, features: specification.features.slice(0, 1) })
    expect(freeParameters(specification)).toBeGreaterThan(freeParameters(one))
    const { columns } = createMixture(specification).inner.moments(parameters)
    expect([...new Set(columns)]).toEqual([0, 1, 2])
  })

  test('takes the values it says it takes', () => {
    const { accepts, expected } = describeType(type)
    expect([...block.values].filter(x => !Number.isNaN(x)).every(accepts)).toBe(true)
    expect(expected).toMatch(/\w/)
    if (type !== 'number') expect(accepts(-1)).toBe(false)
  })

  test('stands beside others', () => {
    const mixed = fitted([...learnedTypes, type])
    expect(scoreModel(mixed.model, mixed.block).logDensity.every(Number.isFinite)).toBe(true)
  })
})
