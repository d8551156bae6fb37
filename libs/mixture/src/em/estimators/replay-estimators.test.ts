import { describe, expect, test } from 'vitest'
import { sampleElki } from '../../../test/elki.ts'
import { empty } from '../../families/family.ts'
import { parametersError, relativeError } from '../../laws/family-laws.ts'
import { createMixture } from '../../model/create-mixture.ts'
import { createSpecification } from '../../model/specification.ts'
import { applyTransform } from '../../model/transform.ts'
import { random } from '../../numerics/random.ts'
import { warmUp } from '../../start/warm-up.ts'
import { batchEm } from './batch-em.ts'
import { incrementalEm } from './incremental-em.ts'
import { varianceReducedEm } from './variance-reduced-em.ts'

const specification = createSpecification({ features: ['x', 'y'], components: 3, warmUp: { iterations: 2 } })
const { prior } = specification
const { block: events } = sampleElki(2000, 31)
const start = warmUp(specification, events, undefined, random(1))
const { block } = applyTransform(specification, start.parameters, events)
const mixture = createMixture(specification)
const converged = batchEm({ prior, tolerance: 1e-14, maxIterations: 500 }).fit(mixture, block, undefined, start)

const likelihood = (parameters: typeof start.parameters) =>
  mixture.expectation(parameters, block, undefined, empty(mixture)).logLikelihood / block.rows

describe('incremental EM', () => {
  test('with a window of everything has the fixed point of batch EM', () => {
    const estimator = incrementalEm({ prior, batchSize: 100, window: 20, revisits: 2, finalRounds: 60 })
    const fit = estimator.fit(mixture, block, undefined, start)
    expect(parametersError(fit.parameters, converged.parameters)).toBeLessThan(1e-9)
  })

  test('with a small window is, after one pass, better than one iteration of batch EM', () => {
    const estimator = incrementalEm({ prior, batchSize: 100, window: 4, revisits: 2 })
    const fit = estimator.fit(mixture, block, undefined, start)
    const once = batchEm({ prior, maxIterations: 1 }).fit(mixture, block, undefined, start)
    expect(likelihood(fit.parameters)).toBeGreaterThan(likelihood(once.parameters) - 1e-3)
    expect(likelihood(converged.parameters) - likelihood(fit.parameters)).toBeLessThan(2e-3)
    // Every event is in the statistics once.
    expect(fit.statistics.subarray(0, 3).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12)
  })
})

test('incremental EM weighs a prior against all events, those that left the window too', () => {
  const single = createSpecification({ features: ['x', 'y'], components: 1, prior: { covariancePseudoEvents: 500 } })
  const one = createMixture(single)
  const options = { prior: single.prior }
  const from = { parameters: one.initial(block) }
  // One component: responsibilities are 1, and the estimate has a closed form that batch EM gives in one iteration.
  const expected = batchEm({ ...options, maxIterations: 1 }).fit(one, block, undefined, from)
  const fit = incrementalEm({ ...options, batchSize: 100, window: 3 }).fit(one, block, undefined, from)
  expect(relativeError(fit.parameters.covariances!, expected.parameters.covariances!)).toBeLessThan(1e-12)
})

describe('variance-reduced EM', () => {
  test('has the fixed point of batch EM and gets there with a constant step', () => {
    const fit = varianceReducedEm({ prior, batchSize: 100, epochs: 15 }).fit(mixture, block, undefined, start)
    expect(parametersError(fit.parameters, converged.parameters)).toBeLessThan(1e-8)
  })

  test('converges in fewer epochs than batch EM needs iterations', () => {
    const gap = (parameters: typeof start.parameters) => likelihood(converged.parameters) - likelihood(parameters)
    const reduced = varianceReducedEm({ prior, batchSize: 100, epochs: 2 }).fit(mixture, block, undefined, start)
    const batch = batchEm({ prior, tolerance: 0, maxIterations: 2 }).fit(mixture, block, undefined, start)
    expect(gap(reduced.parameters)).toBeLessThan(gap(batch.parameters))
  })
})
