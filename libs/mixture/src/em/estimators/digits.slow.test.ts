import { expect, test } from 'vitest'
import { median } from '../../../test/one-pass-elki.ts'
import { blockOf, readReferenceSet } from '../../../test/sklearn-fixture.ts'
import { adjustedRandIndex } from '../../decide/adjusted-rand-index.ts'
import { fitModel } from '../../fit-model.ts'
import { scoreModel } from '../../model/model.ts'
import { createSpecification } from '../../model/specification.ts'
import { indexOfLargest } from '../../numerics/index-of-largest.ts'
import { random } from '../../numerics/random.ts'
import { batchEm } from './batch-em.ts'
import type { Estimator } from './estimator.ts'
import { kMeans } from './k-means.ts'
import { stepwiseEm } from './stepwise-em.ts'

test('handwritten digits (PCA-20, K = 10), 20 seeds: stepwise EM finds the classes as well as batch EM, better than k-means', () => {
  const set = readReferenceSet('digits')
  const block = blockOf(set.data)
  const seeds = Array.from({ length: 20 }, (_, seed) => seed)
  const specification = createSpecification({
    features: set.data[0]!.map((_, j) => `pc${j}`),
    components: 10,
    covariance: 'full',
    // Principal components: their scale says how much they matter, so they keep it.
    standardise: false,
    prior: { covariancePseudoEvents: 30 },
    warmUp: { restarts: 10 },
  })
  const { prior, stepSize } = specification
  const options = { prior, tolerance: 1e-5, maxIterations: 300 }
  const ari = (estimator: Estimator, seed: number): number => {
    const model = fitModel(specification, block, undefined, { estimator, random: random(seed) })
    const { posterior } = scoreModel(model, block)
    return adjustedRandIndex(
      set.labels.map((_, n) => indexOfLargest(posterior, n * 10, 10)),
      set.labels,
    )
  }
  const stepwise = seeds.map(seed => ari(stepwiseEm({ prior, stepSize, batchSize: 256, passes: 5 }), seed))
  const batch = seeds.map(seed => ari(batchEm(options), seed))
  const means = seeds.map(seed => ari(kMeans(options), seed))
  for (const [name, values] of Object.entries({ stepwise, batch, 'k-means': means }))
    console.log(
      `${name}: median ARI ${median(values).toFixed(3)}, ${Math.min(...values).toFixed(3)} … ${Math.max(...values).toFixed(3)}`,
    )
  expect(median(stepwise)).toBeGreaterThan(median(batch) - 0.02)
  expect(median(stepwise)).toBeGreaterThan(median(means))
})
