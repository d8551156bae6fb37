import { describe, expect, it } from 'vitest'
import { knownAnswers } from '../../test/decide-fixture.ts'
import { sampleElki } from '../../test/elki.ts'
import { batchEm } from '../em/estimators/batch-em.ts'
import { fitModel } from '../fit-model.ts'
import type { Model } from '../model/model.ts'
import { createSpecification } from '../model/specification.ts'
import { estimateTransform } from '../model/transform.ts'
import { random } from '../numerics/random.ts'
import { startingParameters } from '../start/starting-parameters.ts'
import { explainer } from './explain.ts'

/** Two diagonal components at ∓1 in d dimensions with unit variance. */
function diagonal(d: number): Pick<Model, 'specification' | 'parameters'> {
  const specification = createSpecification({
    features: Array.from({ length: d }, (_, j) => `f${j}`),
    components: 2,
    covariance: 'diag',
    standardise: false,
  })
  const means = Float64Array.from({ length: 2 * d }, (_, i) => (i < d ? -1 : 1))
  const ones = new Float64Array(2 * d).fill(1)
  const parameters = {
    weights: Float64Array.of(0.75, 0.25),
    means,
    covariances: ones,
    precisionsCholesky: ones,
    logDeterminants: new Float64Array(2),
    reference: new Float64Array(d),
    transformCentre: new Float64Array(d),
    transformScale: new Float64Array(d).fill(1),
    transformPower: new Float64Array(d).fill(1),
  }
  return { specification, parameters }
}

describe('an explanation', () => {
  it('has the values that numpy has by averaging over every order of the features', () => {
    const { weights, means, covariances, cases } = knownAnswers.explanations
    const specification = createSpecification({ features: ['a', 'b', 'c'], components: 3, standardise: false })
    const block = { rows: 3, columns: 3, values: Float64Array.from(means.flat()) }
    const parameters = startingParameters(specification, estimateTransform(specification, block, undefined), block, {
      weights_: weights,
      means_: means,
      covariances_: covariances,
    })
    const explain = explainer({ specification, parameters }, random(1))
    for (const expected of cases) {
      const actual = explain(Float64Array.from(expected.event, x => x ?? Number.NaN))
      expect(actual.component).toBe(expected.component)
      expect(actual.runnerUp).toBe(expected.runnerUp)
      expect(actual.logOdds).toBeCloseTo(expected.logOdds, 10)
      expect(actual.prior).toBeCloseTo(expected.prior, 12)
      expected.posterior.forEach((p, k) => {
        expect(actual.posterior[k]).toBeCloseTo(p, 12)
      })
      expected.contributions.forEach((value, j) => {
        expect(actual.contributions[j]).toBeCloseTo(value, 10)
      })
    }
  })

  it.each([3, 12])('has the closed form for independent features: 2 x_j a feature (%d of them)', d => {
    const values = Float64Array.from({ length: d }, (_, j) => 0.2 * j)
    const { component, runnerUp, prior, contributions, logOdds } = explainer(diagonal(d), random(1))(values)
    expect([component, runnerUp]).toEqual([1, 0])
    expect(prior).toBeCloseTo(Math.log(0.25 / 0.75), 12)
    // log N(x; 1, 1) − log N(x; −1, 1) = 2 x
    for (const [j, x] of values.entries()) expect(contributions[j]).toBeCloseTo(2 * x, 10)
    expect(logOdds).toBeCloseTo(prior + 2 * values.reduce((a, b) => a + b), 10)
  })

  it.each([4, 11])('adds up for correlated features, exact and sampled, and gives a missing one nothing (%d)', d => {
    const next = random(2)
    const rows = 400
    const values = Float64Array.from(
      { length: rows * d },
      (_, i) => (i % (2 * d) < d ? 2 : 0) + next() + (i % d) * next(),
    )
    const specification = createSpecification({
      features: Array.from({ length: d }, (_, j) => `f${j}`),
      components: 3,
    })
    const estimator = batchEm({ prior: specification.prior, maxIterations: 20 })
    const model = fitModel(specification, { rows, columns: d, values }, undefined, { estimator, random: next })
    const event = values.slice(0, d)
    event[2] = Number.NaN
    const { posterior, entropy, prior, contributions, logOdds } = explainer(model, next)(event)
    expect(contributions[2]).toBe(0)
    expect(prior + contributions.reduce((a, b) => a + b)).toBeCloseTo(logOdds!, 8)
    const sorted = posterior.toSorted((a, b) => b - a)
    if (sorted[1]! > 1e-200) expect(logOdds).toBeCloseTo(Math.log(sorted[0]! / sorted[1]!), 6)
    expect(entropy).toBeGreaterThanOrEqual(0)
    expect(entropy).toBeLessThanOrEqual(Math.log(3))
  })

  it('has neither runner-up nor doubt in a model of one component', () => {
    const { block } = sampleElki(1000, 4)
    const specification = createSpecification({ features: ['x', { name: 'y', transform: 'log1p' }], components: 1 })
    const estimator = batchEm({ prior: specification.prior })
    const model = fitModel(specification, block, undefined, { estimator, random: random(1) })
    const explanation = explainer(model, random(1))(Float64Array.of(0, 0))
    expect(explanation).toMatchObject({ component: 0, runnerUp: null, logOdds: null, entropy: 0, prior: 0 })
  })
})
