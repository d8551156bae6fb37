import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { batchEm } from '../../em/estimators/batch-em.ts'
import { mixture } from '../../em/mixture.ts'
import { familyLaws } from '../../laws/family-laws.ts'
import { DEFAULT_PRIOR } from '../../model/specification.ts'
import { empty } from '../family.ts'
import { zeroInflated } from './zero-inflated.ts'

familyLaws(
  'zero-inflated',
  {
    make: (components, columns) => zeroInflated({ components, columns }),
    value: (uniform, j, group) =>
      uniform() < 0.4 ? 0 : Math.floor((uniform() + uniform()) * (1 + group * 3 + (j % 2))),
  },
  { runs: 1000, columns: [1, 2, 3, 5] },
)

familyLaws(
  'zero-inflated under exposures',
  {
    make: (components, columns) =>
      zeroInflated({ components, columns: columns / 2, exposed: Array.from({ length: columns / 2 }, (_, j) => j) }),
    value: (uniform, j, group) =>
      uniform() < 0.3 ? 0 : Math.floor((uniform() + uniform()) * (2 + group * 3 + (j % 2))),
    valueColumns: columns => columns / 2,
  },
  { runs: 1000, columns: [2, 4] },
)

interface Estimate {
  readonly sample: number[]
  readonly rate: number
  readonly zeros: number
  readonly logLikelihood: number
}

const fixture = JSON.parse(
  readFileSync(new URL('../../../../../test/reference/fixtures/zero-inflated.json', import.meta.url), 'utf8'),
) as Record<'rates' | 'zeros' | 'componentLogDensity', number[][]> & {
  readonly events: (number | null)[][]
  readonly estimates: Estimate[]
  readonly exposed: (Estimate & { readonly exposures: number[] })[]
}

test('densities are those of a point at 0 and scipy’s Poisson, of missing values too', () => {
  const family = zeroInflated({ components: 2, columns: 2 })
  const rows = fixture.events.length
  const values = Float64Array.from(fixture.events.flat(), x => x ?? Number.NaN)
  const logs = new Float64Array(rows * 2)
  const parameters = {
    rates: Float64Array.from(fixture.rates.flat()),
    zeros: Float64Array.from(fixture.zeros.flat()),
  }
  family.logDensity(parameters, { rows, columns: 2, values }, logs)
  fixture.componentLogDensity.flat().forEach((value, i) => {
    expect(Math.abs(logs[i]! - value)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(value)))
  })
})

test.each(fixture.estimates)('one component has the maximum of the likelihood: rate $rate, zeros $zeros', estimate => {
  const model = mixture(zeroInflated({ components: 1, columns: 1 }))
  const block = { rows: estimate.sample.length, columns: 1, values: Float64Array.from(estimate.sample) }
  const estimator = batchEm({ prior: DEFAULT_PRIOR, tolerance: 1e-14, maxIterations: 1000 })
  const { parameters } = estimator.fit(model, block, undefined, { parameters: model.initial(block) })
  const { logLikelihood } = model.expectation(parameters, block, undefined, empty(model))
  expect(parameters.rates![0]! / estimate.rate).toBeCloseTo(1, 4)
  expect(parameters.zeros![0]!).toBeCloseTo(estimate.zeros, 4)
  expect(Math.abs(logLikelihood / block.rows - estimate.logLikelihood)).toBeLessThan(1e-8)
})

test.each(fixture.exposed)('under exposures too: rate $rate, zeros $zeros', estimate => {
  const model = mixture(zeroInflated({ components: 1, columns: 1, exposed: [0] }))
  const rows = estimate.sample.length
  const values = Float64Array.from(estimate.sample.flatMap((x, n) => [x, estimate.exposures[n]!]))
  const block = { rows, columns: 2, values }
  const estimator = batchEm({ prior: DEFAULT_PRIOR, tolerance: 1e-14, maxIterations: 1000 })
  const { parameters } = estimator.fit(model, block, undefined, { parameters: model.initial(block) })
  const { logLikelihood } = model.expectation(parameters, block, undefined, empty(model))
  expect(parameters.rates![0]! / estimate.rate).toBeCloseTo(1, 4)
  expect(parameters.zeros![0]!).toBeCloseTo(estimate.zeros, 4)
  expect(Math.abs(logLikelihood / rows - estimate.logLikelihood)).toBeLessThan(1e-8)
})

test('zeros alone have a density of 1', () => {
  const family = zeroInflated({ components: 1, columns: 1 })
  const block = { rows: 3, columns: 1, values: new Float64Array(3) }
  const out = new Float64Array(3)
  family.logDensity(family.initial(block), block, out)
  for (const log of out) expect(log).toBeCloseTo(0, 9)
})

test('moments are of mean (1−φ)λ and variance (1−φ)λ(1+φλ)', () => {
  const family = zeroInflated({ components: 1, columns: 1 })
  const { means, variances } = family.moments({ rates: Float64Array.of(6), zeros: Float64Array.of(0.5) })
  expect([means[0], variances[0]]).toEqual([3, 12])
})
