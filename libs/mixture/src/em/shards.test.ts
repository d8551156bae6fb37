import { describe, expect, test } from 'vitest'
import { rowsOf } from '../families/block.ts'
import { categorical } from '../families/discrete/categorical.ts'
import { multinomial } from '../families/discrete/multinomial.ts'
import { empty, merge } from '../families/family.ts'
import { relativeError } from '../laws/family-laws.ts'
import { createMixture } from '../model/create-mixture.ts'
import { createSpecification, type SpecificationInput } from '../model/specification.ts'
import { random, standardNormal } from '../numerics/random.ts'
import { type Mixture, mixture } from './mixture.ts'

const numbers = ['a', 'b', 'c']
const forms: Record<string, Mixture> = {
  multinomial: mixture(multinomial({ components: 3, columns: 3 })),
  categorical: mixture(categorical({ components: 3, categories: [4, 4, 4] })),
}
const specified: Record<string, Partial<SpecificationInput> & Pick<SpecificationInput, 'features'>> = {
  full: { features: numbers, covariance: 'full' },
  tied: { features: numbers, covariance: 'tied' },
  diag: { features: numbers, covariance: 'diag' },
  spherical: { features: numbers, covariance: 'spherical' },
  factor: { features: numbers, covariance: 'factor', factors: 2 },
  'student-t': { features: numbers, family: 'student-t' },
  mixed: {
    features: [
      { name: 'n', type: 'number' },
      { name: 'c', type: 'count' },
      { name: 'k', type: 'category', categories: 4 },
    ],
  },
}
for (const [name, input] of Object.entries(specified))
  forms[name] = createMixture(createSpecification({ components: 3, ...input }))

/** Small whole numbers ≥ 0 are values of every family; for numbers a little noise is added. */
function events(rows: number, noise: boolean, missing: number) {
  const uniform = random(17)
  const values = Float64Array.from({ length: rows * 3 }, () => {
    const value = Math.floor(uniform() * 4) + (noise ? 0.3 * standardNormal(uniform) : 0)
    return uniform() < missing ? Number.NaN : value
  })
  return { rows, columns: 3, values }
}

describe("statistics of N shards merge to one worker's", () => {
  for (const [name, model] of Object.entries(forms))
    for (const missing of [0, 0.2])
      test(`${name}, ${missing * 100} % missing`, () => {
        const noise = !['multinomial', 'categorical', 'mixed'].includes(name)
        const block = events(1000, noise, missing)
        const weights = Float64Array.from({ length: 1000 }, (_, n) => 1 + (n % 3))
        // One M-step from uneven responsibilities, so that the components differ.
        const initial = model.initial(block)
        const first = empty(model)
        model.inner.observe(
          first,
          block,
          Float64Array.from({ length: 3000 }, (_, i) => ((i * 7) % 5) + 1),
          initial,
        )
        const parameters = model.maximise(first, createSpecification({ features: ['x'], components: 1 }).prior, initial)
        const whole = empty(model)
        const single = model.expectation(parameters, block, weights, whole)
        for (const shards of [1, 2, 7, 64]) {
          const sum = empty(model)
          let logLikelihood = 0
          for (let s = 0; s < shards; s++) {
            const from = Math.floor((1000 * s) / shards)
            const to = Math.floor((1000 * (s + 1)) / shards)
            const own = empty(model)
            logLikelihood += model.expectation(
              parameters,
              rowsOf(block, from, to),
              weights.subarray(from, to),
              own,
            ).logLikelihood
            merge(sum, own)
          }
          expect(relativeError(sum, whole), `${shards} shards`).toBeLessThanOrEqual(1e-12)
          expect(Math.abs(logLikelihood / single.logLikelihood - 1)).toBeLessThanOrEqual(1e-12)
        }
      })
})
