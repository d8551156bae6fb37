import { expect, test } from 'vitest'
import { createMixture } from '../../model/create-mixture.ts'
import { createSpecification } from '../../model/specification.ts'
import { kMeans } from './k-means.ts'

test('k-means leaves no cluster without events, wherever it starts', () => {
  const specification = createSpecification({ components: 3, features: ['x'], covariance: 'spherical' })
  const mixture = createMixture(specification)
  const block = { rows: 4, columns: 1, values: Float64Array.of(0, 1, 50, 90) }
  const parameters = { ...mixture.initial(block), centres: Float64Array.of(20, 1000, 2000) }
  const fit = kMeans({ prior: specification.prior }).fit(mixture, block, undefined, { parameters })
  expect([...fit.parameters.centres!].sort((a, b) => a - b)).toEqual([0.5, 50, 90])
  expect(fit.lowerBound).toBeCloseTo(-0.125, 12)
})
