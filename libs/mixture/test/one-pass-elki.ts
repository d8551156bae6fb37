import { createMixture, createSpecification, fitModel, indexOfLargest, scoreModel, stepwiseEm } from '@eddy/mixture'
import { adjustedRandIndex } from '../src/decide/adjusted-rand-index.ts'
import { bayesLabels, sampleElki } from './elki.ts'

/** ARI of one pass of stepwise EM over `events` events, and of the Bayes rule on the same events. */
export function onePassElki(events: number, seed: number): { ours: number; bayes: number } {
  const { block, labels, random } = sampleElki(events, seed)
  const specification = createSpecification({ features: ['x', 'y'], components: 3, covariance: 'full' })
  const model = fitModel(specification, block, undefined, {
    estimator: stepwiseEm({ prior: specification.prior, stepSize: specification.stepSize }),
    random,
  })
  const { posterior } = scoreModel(model, block)
  const { components } = createMixture(specification).inner
  const found = Int32Array.from({ length: events }, (_, n) => indexOfLargest(posterior, n * components, components))
  return { ours: adjustedRandIndex(found, labels), bayes: adjustedRandIndex(bayesLabels(block), labels) }
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2
}
