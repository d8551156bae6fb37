import { describe, expect, test } from 'vitest'
import { sampleElki } from '../../test/elki.ts'
import { batchEm } from '../em/estimators/batch-em.ts'
import { hardEm } from '../em/estimators/hard-em.ts'
import { kMeans } from '../em/estimators/k-means.ts'
import { stepwiseEm } from '../em/estimators/stepwise-em.ts'
import type { Block } from '../families/block.ts'
import { fitModel } from '../fit-model.ts'
import { scoreModel } from '../model/model.ts'
import { modelToJson } from '../model/model-json.ts'
import { createSpecification } from '../model/specification.ts'
import { random } from '../numerics/random.ts'
import { warmUp } from './warm-up.ts'

const block = (columns: number, values: number[]): Block => ({
  rows: values.length / columns,
  columns,
  values: Float64Array.from(values),
})

const degenerate: Record<string, Block> = {
  'one row': block(2, [1, 2]),
  'fewer rows than components': block(2, [1, 2, 3, 5, 0, 0]),
  'all rows equal': block(2, new Array(40).fill(7)),
  'two distinct rows': block(
    2,
    Array.from({ length: 60 }, (_, i) => (i % 4 < 2 ? 1 : 5)),
  ),
  'a constant column': block(
    2,
    Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? i * i : 0.1)),
  ),
  'collinear columns': block(
    2,
    Array.from({ length: 100 }, (_, i) => (i >> 1) ** 2),
  ),
  '1e150': block(2, [1, 2, 1e150, 3, -1e150, 1e150, 2, 2, 0, 1, 5, -1e150]),
  '1e308': block(2, [1, 2, 1e308, 3, -1e308, 1e308, 2, 2, 0, 1, 5, -1e308]),
  denormal: block(2, [0, 0, 5e-324, 1e-310, 0, 5e-324, 0, 0]),
  'nothing observed': block(2, new Array(20).fill(Number.NaN)),
  'a column never observed': block(
    2,
    Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? Math.sin(i) : Number.NaN)),
  ),
}

describe('degenerate data give a sound model', () => {
  for (const [name, data] of Object.entries(degenerate)) {
    for (const covariance of ['full', 'tied', 'diag', 'spherical', 'factor'] as const) {
      test(`${name}, ${covariance}`, () => {
        for (const varianceFloor of [0, 1e-6]) {
          const specification = createSpecification({
            features: ['x', 'y'],
            components: 5,
            covariance,
            prior: { varianceFloor },
            warmUp: { restarts: 2, iterations: 5 },
          })
          const { prior, stepSize } = specification
          const options = { prior, maxIterations: 5 }
          const estimators = [
            batchEm(options),
            hardEm(options),
            kMeans(options),
            stepwiseEm({ prior, stepSize, batchSize: 7 }),
          ]
          for (const estimator of estimators) {
            const model = fitModel(specification, data, undefined, { estimator, random: random(1) })
            for (const [key, array] of Object.entries(model.parameters))
              expect(array.every(Number.isFinite), `${estimator.name} ${key}`).toBe(true)
            const { posterior, logDensity } = scoreModel(model, data)
            expect(logDensity.every(Number.isFinite)).toBe(true)
            for (let n = 0; n < data.rows; n++) {
              const sum = posterior.subarray(n * 5, n * 5 + 5).reduce((a, b) => a + b, 0)
              expect(Math.abs(sum - 1)).toBeLessThanOrEqual(1e-12)
            }
            expect(JSON.stringify(modelToJson(model))).not.toMatch(/NaN|Infinity/)
          }
        }
      })
    }
  }
})

describe('warm-up', () => {
  test('is repeatable and says what it is worth on events it kept back', () => {
    const { block: events } = sampleElki(2000, 5)
    const specification = createSpecification({ features: ['x', 'y'], components: 3 })
    const first = warmUp(specification, events, undefined, random(3))
    expect(warmUp(specification, events, undefined, random(3))).toEqual(first)
    // Of the true mixture, whose components hardly overlap: Σ π_k (log π_k − log(2πe σ_1 σ_2)) = 1.471.
    expect(Math.abs(first.heldOutLogLikelihood - 1.471)).toBeLessThan(0.06)
  })

  test('refuses an empty block', () => {
    const specification = createSpecification({ features: ['x'], components: 1 })
    expect(() => warmUp(specification, block(1, []), undefined, random(1))).toThrow('block.rows: expected at least 1')
  })
})
