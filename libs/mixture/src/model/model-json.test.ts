import { describe, expect, test } from 'vitest'
import { sampleElki } from '../../test/elki.ts'
import { batchEm } from '../em/estimators/batch-em.ts'
import { fitModel } from '../fit-model.ts'
import { relativeError } from '../laws/family-laws.ts'
import { random } from '../numerics/random.ts'
import { type StartingJson, startingParameters } from '../start/starting-parameters.ts'
import { scoreModel } from './model.ts'
import { modelFromJson, modelToJson } from './model-json.ts'
import { createSpecification } from './specification.ts'
import { estimateTransform } from './transform.ts'

const { block } = sampleElki(600, 11)
for (let n = 0; n < block.rows; n++) block.values[2 * n + 1] = Math.expm1(5 * block.values[2 * n + 1]!)

const fitted = (covariance: 'full' | 'tied' | 'diag' | 'spherical' | 'factor', standardise = true) => {
  const specification = createSpecification({
    features: ['x', { name: 'amount', transform: 'log1p' }],
    components: 3,
    covariance,
    standardise,
  })
  const estimator = batchEm({ prior: specification.prior })
  return fitModel(specification, block, undefined, { estimator, random: random(2) })
}

describe('model JSON', () => {
  for (const covariance of ['full', 'tied', 'diag', 'spherical', 'factor'] as const) {
    test(`${covariance}: scores survive the round trip`, () => {
      const model = fitted(covariance)
      const back = modelFromJson(JSON.parse(JSON.stringify(modelToJson(model))))
      expect(back).toEqual(model)
      expect(scoreModel(back, block)).toEqual(scoreModel(model, block))
    })

    test(`${covariance}: means and covariances in the user's units give back the same densities as starting values`, () => {
      const model = fitted(covariance)
      const json = modelToJson(model) as StartingJson
      const transform = estimateTransform(model.specification, block)
      const parameters = startingParameters(model.specification, transform, block, json)
      const expected = scoreModel(model, block).logDensity
      const actual = scoreModel({ ...model, parameters }, block).logDensity
      const tolerance = covariance === 'factor' ? 1e-6 : 1e-10
      expect(relativeError(actual, expected)).toBeLessThan(tolerance)
    })
  }

  test('a spherical model that was not standardised is read back too', () => {
    const model = fitted('spherical', false)
    const transform = estimateTransform(model.specification, block)
    const parameters = startingParameters(model.specification, transform, block, modelToJson(model) as StartingJson)
    const actual = scoreModel({ ...model, parameters }, block).logDensity
    expect(relativeError(actual, scoreModel(model, block).logDensity)).toBeLessThan(1e-10)
  })

  test.each(['weights_', 'means_', 'covariances_', 'precisions_cholesky_', 'centres_'])(
    'what is for readers is not edited without effect: %s',
    name => {
      const json = JSON.parse(JSON.stringify(modelToJson(fitted('full'))))
      const at = name === 'weights_' ? '[1]' : '[1][0]'
      if (name === 'weights_') json.weights_[1] += 0.01
      else if (Array.isArray(json[name][1][0])) json[name][1][0][0] *= 1.01
      else json[name][1][0] += 0.01
      expect(() => modelFromJson(json)).toThrow(`${name}${at}`)
      expect(() => modelFromJson(json)).toThrow(/as model\.parameters has it, got .* delete "parameters"/)
    },
  )

  test("a component's median is in the user's units", () => {
    const json = modelToJson(fitted('full'))
    const [x, amount] = (json.centres_ as number[][])[0]!
    const [meanX, bent] = (json.means_ as number[][])[0]!
    expect(x).toBeCloseTo(meanX!, 12)
    expect(amount).toBeCloseTo(Math.expm1(bent!), 9)
  })

  test('says which field is wrong', () => {
    expect(() => modelFromJson({})).toThrow('model: expected JSON with "format"')
    const json = modelToJson(fitted('diag'))
    expect(() => modelFromJson({ ...json, version: 2 })).toThrow('model.version: expected 1, got 2')
    expect(() => modelFromJson({ ...json, parameters: {} })).toThrow('model.parameters.weights: expected an array')
    const bad = { ...json.parameters, means: [1, null] }
    expect(() => modelFromJson({ ...json, parameters: bad })).toThrow(
      'model.parameters.means: expected an array of finite',
    )
  })
})
