import { describe, expect, test } from 'vitest'
import { onKernel } from '../../test/on-kernel.ts'
import { mixture } from '../em/mixture.ts'
import { DEFAULT_PRIOR } from '../model/specification.ts'
import { random, standardNormal } from '../numerics/random.ts'
import { empty, type Family } from './family.ts'
import { gaussian } from './gaussian/gaussian.ts'
import { studentT } from './student-t/student-t.ts'

/** Correlated, heavy-tailed events with 40 % of the values missing. */
function holedEvents(rows: number, seed: number) {
  const uniform = random(seed)
  const values = new Float64Array(rows * 3)
  for (let n = 0; n < rows; n++) {
    const scale = uniform() < 0.1 ? 4 : 1
    const a = standardNormal(uniform)
    const b = 0.9 * a + 0.4 * standardNormal(uniform)
    const c = standardNormal(uniform) - 0.7 * b
    values.set(
      [a, b, c].map(x => (uniform() < 0.4 ? Number.NaN : 1 + scale * x)),
      n * 3,
    )
  }
  return { rows, columns: 3, values }
}

const covariances = ['full', 'tied', 'diag', 'spherical', 'factor'] as const
const families: Record<string, Family> = {}
for (const covariance of covariances) {
  families[`gaussian ${covariance}`] = onKernel(gaussian({ components: 2, columns: 3, covariance }))
  families[`student-t ${covariance}`] = onKernel(studentT({ components: 2, columns: 3, covariance }))
}
families['student-t full, ν = 3'] = studentT({ components: 1, columns: 3, covariance: 'full', degreesOfFreedom: 3 })

describe('EM with missing values goes all the way up: an M-step that leaves out part of the conditional moments turns back', () => {
  for (const [name, family] of Object.entries(families))
    test(name, () => {
      const block = holedEvents(250, 6)
      const model = mixture(family)
      const prior = { ...DEFAULT_PRIOR, varianceFloor: 0 }
      const initial = model.initial(block)
      const first = empty(model)
      const uneven = Float64Array.from({ length: block.rows * family.components }, (_, i) => ((i * 7) % 5) + 1)
      family.observe(first, block, uneven, initial)
      let parameters = model.maximise(first, prior, initial)
      let last = -Infinity
      for (let iteration = 0; iteration < 400; iteration++) {
        const statistics = empty(model)
        const { logLikelihood } = model.expectation(parameters, block, undefined, statistics)
        expect(logLikelihood).toBeGreaterThanOrEqual(last - 1e-9)
        last = logLikelihood
        parameters = model.maximise(statistics, prior, parameters)
      }
    })
})
