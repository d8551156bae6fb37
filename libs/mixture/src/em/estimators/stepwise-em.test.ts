import { describe, expect, test } from 'vitest'
import { sampleElki } from '../../../test/elki.ts'
import { median, onePassElki } from '../../../test/one-pass-elki.ts'
import { rowsOf } from '../../families/block.ts'
import { empty, merge, scale } from '../../families/family.ts'
import { relativeError } from '../../laws/family-laws.ts'
import { createMixture } from '../../model/create-mixture.ts'
import { createSpecification } from '../../model/specification.ts'
import { applyTransform } from '../../model/transform.ts'
import { random } from '../../numerics/random.ts'
import { warmUp } from '../../start/warm-up.ts'
import { batchEm } from './batch-em.ts'
import { stepwiseEm } from './stepwise-em.ts'

const specification = createSpecification({ features: ['x', 'y'], components: 3 })

function sample(rows: number, seed: number, buffered = rows) {
  const { block } = sampleElki(rows, seed)
  const start = warmUp(specification, rowsOf(block, 0, buffered), undefined, random(seed))
  return { block: applyTransform(specification, start.parameters, block).block, start }
}

describe('stepwise EM', () => {
  test('one pass over the ELKI mixture reaches the Bayes rule (3 seeds; all 100 in the slow set)', () => {
    const runs = [1, 2, 3].map(seed => onePassElki(100_000, seed))
    expect(Math.abs(median(runs.map(r => r.ours)) - median(runs.map(r => r.bayes)))).toBeLessThanOrEqual(2e-4)
    for (const { ours } of runs) expect(ours).toBeGreaterThanOrEqual(0.999)
  })

  test('with γ = 1 and one batch of everything it is one iteration of batch EM', () => {
    const { block, start } = sample(500, 7)
    const mixture = createMixture(specification)
    const stepwise = stepwiseEm({
      prior: specification.prior,
      stepSize: { exponent: 1, offset: 0 },
      batchSize: 500,
    }).fit(mixture, block, undefined, { parameters: start.parameters })
    const batch = batchEm({ prior: specification.prior, maxIterations: 1 }).fit(mixture, block, undefined, start)
    expect(stepwise.parameters).toEqual(batch.parameters)
    expect(stepwise.lowerBound).toBe(batch.lowerBound)
  })

  test('the events of the start are learned once: K = 1 ends at the weighted mean of all, however short the last batch is', () => {
    const one = createSpecification({ features: ['x', 'y'], components: 1 })
    const { block } = sampleElki(1237, 4)
    const weights = Float64Array.from({ length: block.rows }, (_, n) => 1 + (n % 5) / 2 + (n === 1236 ? 400 : 0))
    const start = warmUp(one, rowsOf(block, 0, 300), weights.subarray(0, 300), random(1))
    const transformed = applyTransform(one, start.parameters, block).block
    for (const batchSize of [1, 64, 1000]) {
      const { parameters } = stepwiseEm({ ...one, batchSize }).fit(createMixture(one), transformed, weights, start)
      for (const j of [0, 1]) {
        let sum = 0
        let weight = 0
        for (let n = 0; n < block.rows; n++) {
          sum += weights[n]! * transformed.values[2 * n + j]!
          weight += weights[n]!
        }
        expect(parameters.means![j]!).toBeCloseTo(sum / weight, 12)
      }
    }
  })

  test('scores of the first pass are those of events that the start has not learned', () => {
    const { block, start } = sample(1000, 6, 400)
    const mixture = createMixture(specification)
    const fit = stepwiseEm({ ...specification, batchSize: 600 }).fit(mixture, block, undefined, start)
    const rest = mixture.expectation(start.parameters, rowsOf(block, 400, 1000), undefined, empty(mixture))
    expect(fit.prequentialLogLikelihood).toBe(rest.logLikelihood / 600)
    expect(fit.prequentialFrom).toBe(400)
    const all = mixture.expectation(start.parameters, block, undefined, empty(mixture))
    expect(fit.lowerBound).toBeCloseTo(all.logLikelihood / 1000, 12)
    const nothing = stepwiseEm(specification).fit(mixture, rowsOf(block, 0, 400), undefined, start)
    expect(nothing.prequentialLogLikelihood).toBeUndefined()
    expect(nothing.parameters).toBe(start.parameters)
  })

  test('the average of the tail is the M-step of the mean of its statistics', () => {
    const { block, start } = sample(500, 8, 100)
    const mixture = createMixture(specification)
    const options = { prior: specification.prior, stepSize: specification.stepSize, batchSize: 100 }
    const tail = stepwiseEm({ ...options, averageTail: 0.5 }).fit(mixture, block, undefined, start)
    const after = [3, 4].map(batches => {
      const head = { rows: 100 + 100 * batches, columns: 2, values: block.values.subarray(0, 200 + 200 * batches) }
      return stepwiseEm(options).fit(mixture, head, undefined, start).statistics
    })
    const mean = empty(mixture)
    for (const statistics of after) merge(mean, scale(statistics, 1 / 2))
    expect(relativeError(tail.statistics, mean)).toBeLessThan(1e-12)
  })

  test('events of weight 0 count for nothing, and equal events can be one of a higher weight', () => {
    const { block, start } = sample(300, 9)
    const mixture = createMixture(specification)
    const weights = Float64Array.from({ length: 300 }, (_, n) => n % 3)
    const into = empty(mixture)
    const weighted = mixture.expectation(start.parameters, block, weights, into)
    const rows = [...weights].flatMap((w, n) => new Array<number>(w).fill(n))
    const values = Float64Array.from(rows.flatMap(n => [block.values[2 * n]!, block.values[2 * n + 1]!]))
    const repeated = empty(mixture)
    const plain = mixture.expectation(start.parameters, { rows: rows.length, columns: 2, values }, undefined, repeated)
    expect(weighted.weight).toBe(plain.weight)
    expect(weighted.logLikelihood).toBeCloseTo(plain.logLikelihood, 8)
    scale(into, 1 / weighted.weight)
    scale(repeated, 1 / plain.weight)
    expect(relativeError(into, repeated)).toBeLessThan(1e-12)
  })
})
