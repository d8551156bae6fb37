import { describe, expect, test } from 'vitest'
import { sampleElki } from '../../test/elki.ts'
import { batchEm } from '../em/estimators/batch-em.ts'
import { stepwiseEm } from '../em/estimators/stepwise-em.ts'
import { freeParameters } from '../model/create-mixture.ts'
import { createSpecification } from '../model/specification.ts'
import { random } from '../numerics/random.ts'
import { selectComponents } from './select-components.ts'

const specification = createSpecification({ features: ['x', 'y'], components: 1 })
const { prior, stepSize } = specification

describe('the number of components', () => {
  for (const criterion of ['cross-validation', 'prequential', 'bic', 'aic'] as const)
    test(`${criterion} finds the three of the ELKI mixture`, () => {
      const { block } = sampleElki(criterion === 'prequential' ? 20_000 : 1500, 12)
      const estimator = criterion === 'prequential' ? stepwiseEm({ prior, stepSize }) : batchEm({ prior })
      const selection = selectComponents(specification, block, undefined, {
        minComponents: 1,
        maxComponents: 4,
        criterion,
        estimator,
        random: random(5),
      })
      expect(selection.candidates.map(c => c.components)).toEqual([1, 2, 3, 4])
      // AIC over-fits on purpose: one too many is its usual answer.
      if (criterion === 'aic') expect(selection.best.components).toBeGreaterThanOrEqual(3)
      else expect(selection.best.components).toBe(3)
      expect(selection.bicComponents).toBe(3)
    })

  test('BIC and AIC are the formulas', () => {
    const { block } = sampleElki(300, 1)
    const options = { minComponents: 2, maxComponents: 2, criterion: 'bic' as const, random: random(1) }
    const { best } = selectComponents(specification, block, undefined, { ...options, estimator: batchEm({ prior }) })
    expect(best.freeParameters).toBe(11)
    expect(best.bic).toBeCloseTo(-2 * 300 * best.meanLogLikelihood + 11 * Math.log(300), 9)
    expect(best.aic).toBeCloseTo(-2 * 300 * best.meanLogLikelihood + 22, 9)
  })

  test('free parameters of every form', () => {
    const count = (covariance: 'full' | 'tied' | 'diag' | 'spherical' | 'factor') =>
      freeParameters(createSpecification({ features: ['a', 'b', 'c', 'd'], components: 3, covariance, factors: 2 }))
    expect(count('full')).toBe(2 + 12 + 30)
    expect(count('tied')).toBe(2 + 12 + 10)
    expect(count('diag')).toBe(2 + 12 + 12)
    expect(count('spherical')).toBe(2 + 12 + 3)
    expect(count('factor')).toBe(2 + 12 + 3 * (8 + 4 - 1))
    const mixed = createSpecification({
      features: [
        { name: 'c', type: 'category', categories: 4 },
        { name: 'n', type: 'count' },
      ],
      components: 2,
    })
    expect(freeParameters(mixed)).toBe(1 + 2 * 3 + 2)
  })

  test('says what is wrong with the range and the folds', () => {
    const { block } = sampleElki(3, 1)
    const common = { estimator: batchEm({ prior }), random: random(1) }
    const select = (minComponents: number, maxComponents: number) =>
      selectComponents(specification, block, undefined, {
        ...common,
        minComponents,
        maxComponents,
        criterion: 'cross-validation',
      })
    expect(() => select(3, 2)).toThrow('maxComponents: expected at least')
    expect(() => select(1, 2)).toThrow('folds: expected 2 … 3')
  })
})
