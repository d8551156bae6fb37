import { describe, expect, test } from 'vitest'
import { sampleElki } from '../../test/elki.ts'
import { adjustedRandIndex } from '../decide/adjusted-rand-index.ts'
import { batchEm } from '../em/estimators/batch-em.ts'
import { fitModel } from '../fit-model.ts'
import { scoreModel } from '../model/model.ts'
import { modelFromJson, modelToJson } from '../model/model-json.ts'
import { createSpecification, type Initialisation } from '../model/specification.ts'
import { indexOfLargest } from '../numerics/index-of-largest.ts'
import { random, standardNormal } from '../numerics/random.ts'

const labelsOf = (posterior: Float64Array, rows: number, components: number) =>
  Int32Array.from({ length: rows }, (_, n) => indexOfLargest(posterior, n * components, components))

describe('initialisation', () => {
  for (const initialisation of ['kmeans++', 'random', 'split'] as const satisfies readonly Initialisation[])
    test(`${initialisation}: the best of five restarts finds the ELKI components`, () => {
      const { block, labels } = sampleElki(2000, 21)
      const specification = createSpecification({ features: ['x', 'y'], components: 3, warmUp: { initialisation } })
      const estimator = batchEm({ prior: specification.prior })
      const model = fitModel(specification, block, undefined, { estimator, random: random(1) })
      const found = labelsOf(scoreModel(model, block).posterior, 2000, 3)
      expect(adjustedRandIndex(found, labels)).toBeGreaterThan(0.998)
    })
})

describe('mixed types', () => {
  const uniform = random(8)
  const poissonNumber = (rate: number): number => {
    let count = 0
    for (let p = uniform(); p > Math.exp(-rate); p *= uniform()) count++
    return count
  }
  const rows = 3000
  const truth = new Int32Array(rows)
  const values = new Float64Array(rows * 4)
  for (let n = 0; n < rows; n++) {
    const k = n % 3
    truth[n] = k
    values[n * 4] = 5 * k + standardNormal(uniform)
    values[n * 4 + 1] = poissonNumber(1 + 4 * k)
    values[n * 4 + 2] = uniform() < 0.85 ? k : Math.floor(uniform() * 3)
    values[n * 4 + 3] = uniform() < [0.1, 0.5, 0.9][k]! ? 1 : 0
    for (let j = 0; j < 4; j++) if (uniform() < 0.1) values[n * 4 + j] = Number.NaN
  }
  const block = { rows, columns: 4, values }
  const specification = createSpecification({
    features: [
      { name: 'amount', type: 'number' },
      { name: 'visits', type: 'count' },
      { name: 'channel', type: 'category', categories: 3 },
      { name: 'member', type: 'boolean' },
    ],
    components: 3,
  })
  const estimator = batchEm({ prior: specification.prior, tolerance: 1e-6 })
  const model = fitModel(specification, block, undefined, { estimator, random: random(2) })

  test('are clustered with a tenth of the values missing', () => {
    expect(adjustedRandIndex(labelsOf(scoreModel(model, block).posterior, rows, 3), truth)).toBeGreaterThan(0.9)
  })

  test('travel through JSON', () => {
    const json = modelToJson(model)
    expect(json.count_names_).toEqual(['visits'])
    expect(json.category_probabilities_!.channel!.map(row => row.length)).toEqual([3, 3, 3])
    const back = modelFromJson(JSON.parse(JSON.stringify(json)))
    expect(scoreModel(back, block)).toEqual(scoreModel(model, block))
  })
})
