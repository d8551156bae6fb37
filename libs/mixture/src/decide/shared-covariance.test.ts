import { expect, test } from 'vitest'
import { createSpecification } from '../model/specification.ts'
import { packedIndex } from '../numerics/packed.ts'
import { sharedCovariance } from './shared-covariance.ts'

test('a missing value counts as what the rest of its event says of it', () => {
  const x = [1, 2, 3, 4, 7, 9, 8, 5]
  const y = [2, Number.NaN, 5, 4, 3, 4, Number.NaN, 1]
  const labels = Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1)
  const block = { rows: 8, columns: 2, values: Float64Array.from(x.flatMap((v, n) => [v, y[n]!])) }
  const specification = createSpecification({ components: 1, features: ['x', 'y'], standardise: false })
  const weights = new Float64Array(8).fill(1)
  const models = sharedCovariance(specification, { block, weights, labels, classes: 2 })
  const { covariances } = models[0]!.parameters
  const slope = covariances![packedIndex(1, 0)]! / covariances![packedIndex(0, 0)]!
  for (const [c, { parameters, converged }] of models.entries()) {
    expect(converged).toBe(true)
    expect(parameters.covariances).toEqual(covariances)
    const [meanX, meanY] = parameters.means!
    const filled = [0, 1, 2, 3].map(i => {
      const n = 4 * c + i
      return Number.isNaN(y[n]) ? meanY! + slope * (x[n]! - meanX!) : y[n]!
    })
    expect(meanY).toBeCloseTo(filled.reduce((a, b) => a + b) / 4, 8)
  }
})
