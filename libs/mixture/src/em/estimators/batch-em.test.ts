import { describe, expect, test } from 'vitest'
import { fitCase, nestedError, REFERENCE_SETS, readReferenceSet } from '../../../test/sklearn-fixture.ts'

describe('batch EM equals scikit-learn from the same start', () => {
  for (const name of REFERENCE_SETS) {
    const set = readReferenceSet(name)
    for (const reference of set.cases) {
      for (const iterations of [1, 50] as const) {
        test(`${name}, ${reference.covariance}, ${iterations} iterations`, () => {
          const expected = iterations === 1 ? reference.after1 : reference.after50
          const actual = fitCase(set, reference, iterations)
          for (const key of ['weights', 'means', 'covariances', 'lowerBound', 'meanLogDensity'] as const)
            expect(nestedError(actual[key], expected[key]), key).toBeLessThanOrEqual(1e-9)
        })
      }
    }
  }
})
