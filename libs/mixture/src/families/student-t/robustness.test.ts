import { expect, test } from 'vitest'
import { adjustedRandIndex } from '../../decide/adjusted-rand-index.ts'
import { batchEm } from '../../em/estimators/batch-em.ts'
import { fitModel } from '../../fit-model.ts'
import { scoreModel } from '../../model/model.ts'
import { modelToJson } from '../../model/model-json.ts'
import { createSpecification } from '../../model/specification.ts'
import { indexOfLargest } from '../../numerics/index-of-largest.ts'
import { random, standardNormal } from '../../numerics/random.ts'
import type { Block } from '../block.ts'
import { takeRows } from '../take-rows.ts'

const MEANS = [
  [0, 0, 0],
  [6, 0, 3],
  [0, 6, -3],
]

/** Three correlated clusters of unit variance; feature 1 follows feature 0 with correlation .8. */
function clusters(rows: number, seed: number): { block: Block; labels: Int32Array } {
  const uniform = random(seed)
  const labels = Int32Array.from({ length: rows }, () => Math.floor(uniform() * 3))
  const values = new Float64Array(rows * 3)
  labels.forEach((k, n) => {
    const u = standardNormal(uniform)
    const v = 0.8 * u + 0.6 * standardNormal(uniform)
    const w = standardNormal(uniform)
    values.set([MEANS[k]![0]! + u, MEANS[k]![1]! + v, MEANS[k]![2]! + w], n * 3)
  })
  return { block: { rows, columns: 3, values }, labels }
}

const fit = (block: Block, family: 'gaussian' | 'student-t', seed: number) => {
  const specification = createSpecification({
    features: ['a', 'b', 'c'],
    components: 3,
    family,
    warmUp: { restarts: 4 },
  })
  const estimator = batchEm({ prior: specification.prior, tolerance: 1e-7, maxIterations: 300 })
  return fitModel(specification, block, undefined, { estimator, random: random(seed) })
}

/** Largest distance of an estimated mean from its cluster's, the means matched greedily; units of a cluster's sd. */
function worstMean(means: number[][], truth: number[][]): number {
  const left = [...means]
  return Math.max(
    ...truth.map(t => {
      const distances = left.map(m => Math.hypot(...m.map((x, j) => x - t[j]!)))
      const nearest = distances.indexOf(Math.min(...distances))
      left.splice(nearest, 1)
      return distances[nearest]!
    }),
  )
}

test('2 % gross outliers: the means of student-t components stay within .1 sd of the clean fit, the gaussian ones do not', () => {
  const { block } = clusters(6000, 1)
  const clean = modelToJson(fit(block, 'gaussian', 2)).means_ as number[][]
  const uniform = random(9)
  const dirty = { ...block, values: block.values.slice() }
  for (let n = 0; n < block.rows; n++)
    if (uniform() < 0.02) for (let j = 0; j < 3; j++) dirty.values[n * 3 + j] = 60 * (uniform() - 0.25)
  const robust = worstMean(modelToJson(fit(dirty, 'student-t', 2)).means_ as number[][], clean)
  const plain = worstMean(modelToJson(fit(dirty, 'gaussian', 2)).means_ as number[][], clean)
  console.log(`shift of the worst mean: student-t ${robust.toFixed(3)} sd, gaussian ${plain.toFixed(3)} sd`)
  expect(robust).toBeLessThan(0.1)
  expect(plain).toBeGreaterThan(0.1)
})

test('30 % missing at random: recovery is better than with imputed means or dropped rows', () => {
  const errors = [1, 2, 3, 4, 5].map(seed => {
    const { block, labels } = clusters(800, 20 + seed)
    const uniform = random(40 + seed)
    const holed = { ...block, values: block.values.map(x => (uniform() < 0.3 ? Number.NaN : x)) }
    const complete = Int32Array.from(
      [...labels.keys()].filter(n => !holed.values.subarray(n * 3, n * 3 + 3).some(Number.isNaN)),
    )
    const columnMeans = [0, 1, 2].map(j => {
      const seen = [...labels.keys()].map(n => holed.values[n * 3 + j]!).filter(x => !Number.isNaN(x))
      return seen.reduce((a, b) => a + b, 0) / seen.length
    })
    const imputed = { ...block, values: holed.values.map((x, i) => (Number.isNaN(x) ? columnMeans[i % 3]! : x)) }
    const recovery = (data: Block) => {
      const model = fit(data, 'gaussian', seed)
      const json = modelToJson(model)
      const correlations = (json.covariances_ as number[][][]).map(c => c[0]![1]! / Math.sqrt(c[0]![0]! * c[1]![1]!))
      const { posterior } = scoreModel(model, holed)
      const found = labels.map((_, n) => indexOfLargest(posterior, n * 3, 3))
      return {
        mean: worstMean(json.means_ as number[][], MEANS),
        correlation: Math.max(...correlations.map(r => Math.abs(r - 0.8))),
        ari: adjustedRandIndex(found, labels),
      }
    }
    return { ours: recovery(holed), imputed: recovery(imputed), dropped: recovery(takeRows(holed, complete)) }
  })
  const average = (method: 'ours' | 'imputed' | 'dropped', what: 'mean' | 'correlation' | 'ari') =>
    errors.reduce((sum, e) => sum + e[method][what], 0) / errors.length
  for (const method of ['ours', 'imputed', 'dropped'] as const)
    console.log(
      `${method}: worst mean off by ${average(method, 'mean').toFixed(3)} sd, correlation by ` +
        `${average(method, 'correlation').toFixed(3)}, ARI ${average(method, 'ari').toFixed(3)}`,
    )
  for (const other of ['imputed', 'dropped'] as const) {
    expect(average('ours', 'mean')).toBeLessThan(average(other, 'mean'))
    expect(average('ours', 'correlation')).toBeLessThan(average(other, 'correlation'))
  }
})
