import { expect, test } from 'vitest'
import { batchEm } from '../../em/estimators/batch-em.ts'
import { stepwiseEm } from '../../em/estimators/stepwise-em.ts'
import { fitModel } from '../../fit-model.ts'
import { scoreModel } from '../../model/model.ts'
import { modelFromJson, modelToJson } from '../../model/model-json.ts'
import { createSpecification } from '../../model/specification.ts'
import { random, standardNormal } from '../../numerics/random.ts'

/** A normal cluster, and one of a t with ν degrees: a normal by the root of a χ²/ν, which is a sum of ν squares. */
function sample(nu: number) {
  const uniform = random(5)
  const rows = 6000
  const values = Float64Array.from(
    Array.from({ length: rows }, (_, n) => {
      const [x, y] = [standardNormal(uniform), standardNormal(uniform)]
      if (n % 2 === 0) return [x, y]
      let squares = 0
      for (let i = 0; i < nu; i++) squares += standardNormal(uniform) ** 2
      const scale = Math.sqrt(squares / nu)
      return [40 + x / scale, y / scale]
    }).flat(),
  )
  return { rows, columns: 2, values }
}

const specification = createSpecification({
  features: ['a', 'b'],
  components: 2,
  family: 'auto',
  warmUp: { restarts: 4 },
})
const estimators = {
  batch: batchEm({ prior: specification.prior, tolerance: 1e-7, maxIterations: 100 }),
  stepwise: stepwiseEm({ prior: specification.prior, stepSize: specification.stepSize, batchSize: 256 }),
}

test.each(Object.entries(estimators))(
  '%s EM: each component has its own tails, gaussian ones among them',
  (_, estimator) => {
    for (const [truth, chosen] of [
      [2, 2.5],
      [4, 4],
      [7, 7],
    ] as const) {
      const block = sample(truth)
      const model = fitModel(specification, block, undefined, { estimator, random: random(1) })
      const { degreesOfFreedom } = model.parameters
      expect([...degreesOfFreedom!].toSorted((a, b) => a - b)).toEqual([chosen, 1e4])
      const read = modelFromJson(JSON.parse(JSON.stringify(modelToJson(model))))
      expect(scoreModel(read, block)).toEqual(scoreModel(model, block))
    }
  },
)

test('is as likely as estimated degrees of freedom, to .003 nats an event', () => {
  const block = sample(5)
  const estimated = createSpecification({ ...specification, family: 'student-t' })
  const [chosen, root] = [specification, estimated].map(
    form =>
      fitModel(form, block, undefined, {
        estimator: batchEm({ prior: form.prior, tolerance: 1e-9, maxIterations: 1000 }),
        random: random(1),
      }).lowerBound,
  )
  expect(chosen).toBeGreaterThan(root! - 0.003)
})

test('degrees of freedom that are given beside auto are refused', () => {
  expect(() => createSpecification({ ...specification, degreesOfFreedom: 5 })).toThrow(
    'degreesOfFreedom: expected none with family auto, which chooses them, got 5',
  )
})
