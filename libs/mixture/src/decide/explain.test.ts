import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sampleElki } from '../../test/elki.ts'
import { batchEm } from '../em/estimators/batch-em.ts'
import { fitModel } from '../fit-model.ts'
import { createSpecification } from '../model/specification.ts'
import { random } from '../numerics/random.ts'
import { explain } from './explain.ts'

const { block } = sampleElki(1000, 4)

const fitted = (covariance: 'full' | 'diag') => {
  const specification = createSpecification({
    features: ['x', { name: 'y', transform: 'log1p' }],
    components: 3,
    covariance,
  })
  return fitModel(specification, block, undefined, {
    estimator: batchEm({ prior: specification.prior }),
    random: random(1),
  })
}
const models = { full: fitted('full'), diag: fitted('diag') }
const value = fc.oneof(fc.double({ min: -1, max: 2, noNaN: true }), fc.constant(Number.NaN))

describe('explanation', () => {
  for (const covariance of ['full', 'diag'] as const)
    test(`${covariance}: contributions add up to the log posterior odds; missing features contribute nothing`, () => {
      fc.assert(
        fc.property(value, value, (x, y) => {
          const event = { rows: 1, columns: 2, values: Float64Array.of(x, y) }
          const [e] = explain(models[covariance], event, random(1))
          const { contributions, weightContribution, posterior, component, runnerUp } = e!
          const sum = weightContribution + contributions[0]! + contributions[1]!
          // Odds beyond 1e−300 cannot be read off the posterior.
          if (posterior[runnerUp]! > 1e-300)
            expect(sum).toBeCloseTo(Math.log(posterior[component]!) - Math.log(posterior[runnerUp]!), 7)
          if (Number.isNaN(x)) expect(contributions[0]).toBe(0)
          if (Number.isNaN(y)) expect(contributions[1]).toBe(0)
          expect(e!.entropy).toBeGreaterThanOrEqual(0)
          expect(e!.entropy).toBeLessThanOrEqual(Math.log(3) + 1e-12)
        }),
        { numRuns: 300 },
      )
    })

  test('with independent features a contribution is the log ratio of that feature alone', () => {
    const both = explain(models.diag, { rows: 1, columns: 2, values: Float64Array.of(0.4, 0.5) }, random(1))[0]!
    const alone = explain(models.diag, { rows: 1, columns: 2, values: Float64Array.of(0.4, Number.NaN) }, random(1))[0]!
    if (both.component === alone.component && both.runnerUp === alone.runnerUp)
      expect(both.contributions[0]).toBeCloseTo(alone.contributions[0]!, 9)
    else expect(both.contributions[0]).not.toBe(0)
  })

  test('one component has no runner-up and no doubt', () => {
    const specification = createSpecification({ features: ['x', 'y'], components: 1 })
    const estimator = batchEm({ prior: specification.prior })
    const model = fitModel(specification, block, undefined, { estimator, random: random(1) })
    const [e] = explain(model, { rows: 1, columns: 2, values: Float64Array.of(0, 0) }, random(1))
    expect(e).toMatchObject({ component: 0, runnerUp: -1, entropy: 0, weightContribution: 0 })
  })
})
