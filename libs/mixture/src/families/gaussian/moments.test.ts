import { describe, expect, test } from 'vitest'
import { random, standardNormal } from '../../numerics/random.ts'
import { empty, type Family } from '../family.ts'
import { studentT } from '../student-t/student-t.ts'
import { gaussian } from './gaussian.ts'

const COVARIANCES = ['full', 'tied', 'diag', 'spherical', 'factor'] as const
const FLOOR = 1e-3
const prior = { weightPseudoEvents: 0, meanPseudoEvents: 0, covariancePseudoEvents: 0, varianceFloor: FLOOR }

/** Parameters of K clusters of unequal spread, the events of `collapsed` being all the same. */
function learned(family: Family, collapsed = -1) {
  const { components: K, columns: d } = family
  const rows = K * (8 * d + 8)
  const uniform = random(K * 100 + d)
  const values = Float64Array.from({ length: rows * d }, (_, i) => {
    const k = Math.floor(i / d) % K
    const j = i % d
    return 3 * Math.sin(2 * k + 5 * j) + (k === collapsed ? 0 : (1 + (j % 3)) * standardNormal(uniform))
  })
  const responsibilities = Float64Array.from({ length: rows * K }, (_, i) => (Math.floor(i / K) % K === i % K ? 1 : 0))
  const block = { rows, columns: d, values }
  let parameters = family.initial(block)
  for (let i = 0; i < 20; i++) {
    const statistics = empty(family)
    family.observe(statistics, block, responsibilities, parameters)
    parameters = family.maximise(statistics, prior, parameters)
  }
  return { parameters, weights: new Float64Array(K).fill(1 / K), values }
}

const sizes = Array.from({ length: 12 }, (_, i) => i + 1)

describe.each(COVARIANCES)('what components of %s covariance look like', covariance => {
  test.each(sizes)('as many healthy components as there are, and the one that has collapsed, d = %i', columns => {
    for (const components of sizes) {
      const family = gaussian({ components, columns, covariance })
      const floored = (collapsed?: number) => {
        const { parameters, weights } = learned(family, collapsed)
        return family.floored!(parameters, weights, FLOOR)
      }
      expect(floored(), `K = ${components}`).toEqual(new Array(components).fill(false))
      // A tied covariance is that of all, and one component alone is the overall variance itself.
      if (covariance === 'tied' || components === 1) continue
      const last = components - 1
      expect(floored(last), `K = ${components}`).toEqual(Array.from({ length: components }, (_, k) => k === last))
    }
  })

  test.each(sizes)('means and variances of the events, d = %i', columns => {
    for (const components of [1, 2, 6]) {
      const family = gaussian({ components, columns, covariance })
      const { parameters, values } = learned(family)
      const { columns: of, means, variances } = family.moments(parameters)
      expect([...of]).toEqual(Array.from({ length: columns }, (_, j) => j))
      const rows = values.length / columns
      const within = new Float64Array(columns)
      for (let k = 0; k < components; k++)
        for (let j = 0; j < columns; j++) {
          const own = Float64Array.from(
            { length: rows / components },
            (_, i) => values[(i * components + k) * columns + j]!,
          )
          const mean = own.reduce((a, b) => a + b) / own.length
          const variance = own.reduce((sum, x) => sum + (x - mean) ** 2, 0) / own.length
          within[j]! += variance / components
          expect(means[k * columns + j]).toBeCloseTo(mean, 10)
          if (covariance === 'full' || covariance === 'diag')
            expect(variances[k * columns + j]).toBeCloseTo(variance, 10)
        }
      if (covariance === 'tied') for (let j = 0; j < columns; j++) expect(variances[j]).toBeCloseTo(within[j]!, 10)
    }
  })
})

test('a direction between the columns, and student-t components', () => {
  const family = gaussian({ components: 1, columns: 2, covariance: 'full' })
  const floored = (covariance: number) =>
    family.floored!(
      { means: new Float64Array(2), covariances: Float64Array.of(1, covariance, 1) },
      Float64Array.of(1),
      FLOOR,
    )
  expect(floored(0.9999)).toEqual([true])
  expect(floored(0.99)).toEqual([false])
  const robust = studentT({ components: 3, columns: 4, covariance: 'spherical' })
  const { parameters, weights } = learned(robust)
  expect(robust.floored!(parameters, weights, FLOOR)).toEqual([false, false, false])
})
