import { expect, it } from 'vitest'
import { createSpecification } from '../model/specification.ts'
import { copiesOf } from './copies.ts'

const specification = createSpecification({ features: ['x', 'y'], components: 3, covariance: 'tied' })
const parameters = (means: readonly number[]) => ({
  weights: Float64Array.of(0.5, 0.3, 0.2),
  means: Float64Array.from(means),
  covariances: Float64Array.of(1, 0),
  transformCentre: Float64Array.of(1, 2, 3),
})

it('names the first component that each is a copy of', () => {
  expect([...copiesOf({ specification, parameters: parameters([1, 2, 3, 4, 1, 2]) })]).toEqual([0, 1, 0])
  expect([...copiesOf({ specification, parameters: parameters([1, 2, 1, 2, 1, 2]) })]).toEqual([0, 0, 0])
  expect([...copiesOf({ specification, parameters: parameters([1, 2, 1, 2.001, 5, 2]) })]).toEqual([0, 1, 2])
})
