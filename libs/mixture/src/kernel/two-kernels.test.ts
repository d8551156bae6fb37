import { expect, test } from 'vitest'
import { sampleElki } from '../../test/elki.ts'
import { batchEm } from '../em/estimators/batch-em.ts'
import { fitModel } from '../fit-model.ts'
import { createMixture } from '../model/create-mixture.ts'
import { scoreModel } from '../model/model.ts'
import { createSpecification } from '../model/specification.ts'
import { random } from '../numerics/random.ts'
import { createKernel } from './kernel.ts'

const { block } = sampleElki(500, 1)
const specification = createSpecification({ features: ['x', 'y'], components: 3 })
const estimator = batchEm({ prior: specification.prior, maxIterations: 5, tolerance: 0 })

const learn = (choice: 'webassembly' | 'typescript' | 'webassembly-f32') => {
  const kernel = createKernel(choice)
  const model = fitModel(specification, block, undefined, { estimator, random: random(2), kernel })
  return { model, scores: scoreModel(model, block, kernel) }
}

test('two models with kernels of their own, whose steps take turns, are what each is alone', () => {
  const alone = [learn('webassembly'), learn('typescript'), learn('webassembly-f32')]
  expect(alone[0]!.scores).not.toEqual(alone[1]!.scores)
  expect(alone[0]!.scores).not.toEqual(alone[2]!.scores)
  const [compiled, reference, single] = (['webassembly', 'typescript', 'webassembly-f32'] as const).map(
    (choice, i) => ({
      mixture: createMixture(specification, createKernel(choice)),
      parameters: alone[i]!.model.parameters,
      posterior: new Float64Array(500 * 3),
      logDensity: new Float64Array(500),
    }),
  )
  for (let n = 0; n < 500; n++)
    for (const { mixture, parameters, posterior, logDensity } of [compiled!, reference!, single!]) {
      const one = { rows: 1, columns: 2, values: standardised(parameters, n) }
      mixture.score(parameters, one, posterior.subarray(3 * n), logDensity.subarray(n))
    }
  for (const [i, { posterior }] of [compiled!, reference!, single!].entries())
    expect(posterior).toEqual(alone[i]!.scores.posterior)
})

/** Event n in model space. */
const standardised = ({ transformCentre, transformScale }: Record<string, Float64Array>, n: number): Float64Array =>
  block.values.slice(2 * n, 2 * n + 2).map((x, j) => (x - transformCentre![j]!) / transformScale![j]!)

test('the same kernel may serve two models', () => {
  const kernel = createKernel()
  const small = fitModel(specification, block, undefined, { estimator, random: random(2), kernel })
  const diagonal = createSpecification({ features: ['x', 'y'], components: 5, covariance: 'diag' })
  const other = fitModel(diagonal, block, undefined, { estimator, random: random(2), kernel })
  expect(scoreModel(small, block, kernel)).toEqual(scoreModel(small, block))
  expect(scoreModel(other, block, kernel)).toEqual(scoreModel(other, block))
  expect(scoreModel(small, block, kernel)).toEqual(scoreModel(small, block, createKernel()))
})
