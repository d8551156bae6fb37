import { describe, expect, test } from 'vitest'
import { knownAnswers } from '../../test/decide-fixture.ts'
import { sampleElki } from '../../test/elki.ts'
import { batchEm } from '../em/estimators/batch-em.ts'
import { fitModel } from '../fit-model.ts'
import { freeParameters } from '../model/create-mixture.ts'
import { createSpecification } from '../model/specification.ts'
import { permutation, random, standardNormal } from '../numerics/random.ts'
import { type SelectionOptions, selectComponents } from './select-components.ts'

const specification = createSpecification({ features: ['x', 'y'], components: 1, warmUp: { restarts: 4 } })
const { prior } = specification
const fit: SelectionOptions['fit'] = (own, block, weights) =>
  fitModel(own, block, weights, {
    estimator: batchEm({ prior, tolerance: 1e-7, maxIterations: 500 }),
    random: random(5),
  })
const options = { minComponents: 1, maxComponents: 4, criterion: 'cross-validation', folds: 5, seed: 1, fit } as const
const ones = (rows: number) => new Float64Array(rows).fill(1)

/** Three round groups, 10 standard deviations apart, shape (rows, 2). */
function roundGroups(rows: number): Float64Array {
  const draw = random(3)
  const centres = [0, 0, 10, 0, 5, 9]
  return Float64Array.from({ length: 2 * rows }, (_, i) => {
    const group = Math.floor(i / 2) % 3
    return centres[2 * group + (i % 2)]! + standardNormal(draw)
  })
}

describe('the number of components', () => {
  test('every criterion finds the three of the ELKI mixture', () => {
    const { block } = sampleElki(3000, 12)
    const { choices, chosen, candidates } = selectComponents(specification, block, ones(3000), options)
    expect(candidates.map(c => c.components)).toEqual([1, 2, 3, 4])
    expect(chosen).toBe(3)
    // AIC over-fits on purpose: one too many is its usual answer.
    expect(choices).toMatchObject({ 'cross-validation': 3, prequential: 3, bic: 3 })
    expect(choices.aic).toBeGreaterThanOrEqual(3)
  })

  test.each(['oneComponent', 'twoComponents'] as const)(
    'held-out likelihoods, BIC and AIC are scikit-learn’s: %s',
    name => {
      const { events, candidates } = knownAnswers[name]
      // Event i is in fold i mod 5: here it stands where the fold of that number is drawn.
      const values = new Float64Array(600)
      permutation(300, random(1)).forEach((n, i) => {
        values.set(events[i]!, 2 * n)
      })
      const block = { rows: 300, columns: 2, values }
      const selection = selectComponents(specification, block, ones(300), { ...options, maxComponents: 2 })
      expect(selection.chosen).toBe(name === 'oneComponent' ? 1 : 2)
      candidates.forEach((expected, i) => {
        // Where there is one component EM has nothing to search for.
        const digits = expected.components === 1 ? 8 : 3
        const actual = selection.candidates[i]!
        if (name === 'oneComponent' && expected.components === 2) {
          // No second component is there to be found: which of many maxima is found differs, that none is worth its while does not.
          // One of the two is the best: the other says by how much, and how sure that is.
          const [one, two] = selection.candidates
          expect(one!.behind + two!.behind).toBeLessThan(2 * (one!.behindError + two!.behindError))
          return
        }
        expect(actual.crossValidation).toBeCloseTo(expected.crossValidation, digits)
        expect(actual.bic).toBeCloseTo(expected.bic, digits - 2)
        expect(actual.aic).toBeCloseTo(expected.aic, digits - 2)
        if (name === 'twoComponents') {
          expect(actual.behind).toBeCloseTo(expected.behind, 3)
          expect(actual.behindError).toBeCloseTo(expected.behindError, 3)
        }
      })
    },
  )

  test('forms are compared with every number; of those that are as good the one with fewest parameters is taken', () => {
    // Round groups: three spherical components say it all.
    const block = { rows: 1500, columns: 2, values: roundGroups(1500) }
    const selection = selectComponents(specification, block, ones(1500), {
      ...options,
      covariances: ['full', 'diag', 'spherical'],
    })
    expect(selection.candidates.map(({ covariance, components }) => `${covariance} ${components}`)).toEqual(
      ['full', 'diag', 'spherical'].flatMap(form => [1, 2, 3, 4].map(K => `${form} ${K}`)),
    )
    expect([selection.covariance, selection.chosen]).toEqual(['spherical', 3])
    expect(selection.covariances.bic).toBe('spherical')
    expect(selection.choices.bic).toBe(3)
  })

  test('stability is 1 where the segments are there, less where there are too many, and unknown for one', () => {
    const block = { rows: 1500, columns: 2, values: roundGroups(1500) }
    const [one, two, three, four] = selectComponents(specification, block, ones(1500), options).candidates
    expect(one!.stability).toBeNaN()
    expect(three!.stability).toBeGreaterThan(0.99)
    expect(four!.stability).toBeLessThan(three!.stability)
    expect(two!.stability).toBeLessThanOrEqual(1)
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
    const select = (minComponents: number, maxComponents: number) =>
      selectComponents(specification, block, ones(3), { ...options, minComponents, maxComponents })
    expect(() => select(3, 2)).toThrow('maxComponents: expected at least')
    expect(() => select(1, 2)).toThrow('folds: expected 2 … 3')
  })
})
