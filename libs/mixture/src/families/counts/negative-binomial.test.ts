import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { batchEm } from '../../em/estimators/batch-em.ts'
import { mixture } from '../../em/mixture.ts'
import { familyLaws } from '../../laws/family-laws.ts'
import { DEFAULT_PRIOR } from '../../model/specification.ts'
import { type Random, random } from '../../numerics/random.ts'
import { empty } from '../family.ts'
import { negativeBinomial } from './negative-binomial.ts'

/** Geometric, of mean m: negative-binomial of size 1. */
const halfOf = (columns: number) => Array.from({ length: columns / 2 }, (_, j) => j)
const geometric = (uniform: Random, mean: number) => Math.floor(Math.log(1 - uniform()) / Math.log(mean / (1 + mean)))

familyLaws(
  'negative-binomial',
  {
    make: (components, columns) => negativeBinomial({ components, columns }),
    value: (uniform, j, group) => geometric(uniform, (1 + j) * 4 ** group),
  },
  { runs: 1000, columns: [1, 2, 3, 5] },
)

familyLaws(
  'negative-binomial under exposures',
  {
    make: (components, columns) => negativeBinomial({ components, columns: columns / 2, exposed: halfOf(columns) }),
    value: (uniform, j, group) => geometric(uniform, (1 + (j % 3)) * 4 ** group),
    valueColumns: columns => columns / 2,
    // The likelihood at a size between those of the grid is a polynomial's, which is up to 1.5e-5 nats an event beside it.
    monotoneTolerance: 1e-6,
  },
  { runs: 1000, columns: [2, 4] },
)

interface Estimate {
  readonly sample: number[]
  readonly logLikelihood: number
}

const fixture = JSON.parse(
  readFileSync(new URL('../../../../../test/reference/fixtures/negative-binomial.json', import.meta.url), 'utf8'),
) as Record<'means' | 'sizes' | 'componentLogDensity', number[][]> & {
  readonly events: (number | null)[][]
  readonly estimates: (Estimate & { readonly mean: number; readonly size: number })[]
  readonly exposed: (Estimate & { readonly exposures: number[]; readonly mean: number; readonly size: number })[]
  readonly mixture: Estimate & { readonly weight: number; readonly means: number[]; readonly sizes: number[] }
}

const columnOf = (sample: readonly number[]) => ({ rows: sample.length, columns: 1, values: Float64Array.from(sample) })

test('densities are scipy’s, of missing values too', () => {
  const family = negativeBinomial({ components: 2, columns: 2 })
  const rows = fixture.events.length
  const values = Float64Array.from(fixture.events.flat(), x => x ?? Number.NaN)
  const logs = new Float64Array(rows * 2)
  const parameters = {
    means: Float64Array.from(fixture.means.flat()),
    sizes: Float64Array.from(fixture.sizes.flat()),
  }
  family.logDensity(parameters, { rows, columns: 2, values }, logs)
  fixture.componentLogDensity.flat().forEach((value, i) => {
    expect(Math.abs(logs[i]! - value)).toBeLessThanOrEqual(1e-11 * Math.max(1, Math.abs(value)))
  })
})

test.each(fixture.estimates)('one component has the maximum of the likelihood: mean $mean, size $size', estimate => {
  const model = mixture(negativeBinomial({ components: 1, columns: 1 }))
  const block = columnOf(estimate.sample)
  const start = model.initial(block)
  const statistics = empty(model)
  model.expectation(start, block, undefined, statistics)
  const parameters = model.maximise(statistics, DEFAULT_PRIOR, start)
  const { logLikelihood } = model.expectation(parameters, block, undefined, empty(model))
  expect(parameters.means![0]! / estimate.mean).toBeCloseTo(1, 6)
  expect(Math.abs(parameters.sizes![0]! / estimate.size - 1)).toBeLessThan(0.02)
  expect(logLikelihood / block.rows).toBeLessThan(estimate.logLikelihood + 1e-9)
  expect(logLikelihood / block.rows).toBeGreaterThan(estimate.logLikelihood - 2e-5)
})

test.each(fixture.exposed)('under exposures too: mean $mean, size $size', estimate => {
  const model = mixture(negativeBinomial({ components: 1, columns: 1, exposed: [0] }))
  const rows = estimate.sample.length
  const values = Float64Array.from(estimate.sample.flatMap((x, n) => [x, estimate.exposures[n]!]))
  const block = { rows, columns: 2, values }
  const estimator = batchEm({ prior: DEFAULT_PRIOR, tolerance: 1e-12, maxIterations: 200 })
  const { parameters, converged } = estimator.fit(model, block, undefined, { parameters: model.initial(block) })
  const { logLikelihood } = model.expectation(parameters, block, undefined, empty(model))
  expect(converged).toBe(true)
  expect(Math.abs(parameters.means![0]! / estimate.mean - 1)).toBeLessThan(2e-3)
  expect(Math.abs(parameters.sizes![0]! / estimate.size - 1)).toBeLessThan(0.02)
  expect(logLikelihood / rows).toBeLessThan(estimate.logLikelihood + 1e-9)
  expect(logLikelihood / rows).toBeGreaterThan(estimate.logLikelihood - 2e-5)
})

const { mixture: two } = fixture
const block = columnOf(two.sample)
const model = mixture(negativeBinomial({ components: 2, columns: 1 }))
const start = { weights: Float64Array.of(0.5, 0.5), means: Float64Array.of(1, 20), sizes: Float64Array.of(1, 3) }

test('a mixture of two: batch EM ends at scipy’s maximum', () => {
  const { parameters } = batchEm({ prior: DEFAULT_PRIOR, tolerance: 1e-12, maxIterations: 2000 }).fit(
    model,
    block,
    undefined,
    { parameters: start },
  )
  const { logLikelihood } = model.expectation(parameters, block, undefined, empty(model))
  expect(Math.abs(logLikelihood / block.rows - two.logLikelihood)).toBeLessThan(1e-6)
  expect(Math.abs(parameters.weights![0]! - two.weight)).toBeLessThan(2e-3)
  two.means.forEach((mean, k) => {
    expect(Math.abs(parameters.means![k]! / mean - 1)).toBeLessThan(0.01)
  })
  two.sizes.forEach((size, k) => {
    expect(Math.abs(parameters.sizes![k]! / size - 1)).toBeLessThan(0.03)
  })
})

test('counts of a Poisson distribution get the largest size, and its density', () => {
  const uniform = random(3)
  const poisson = () => {
    let count = -1
    for (let product = 1; product > Math.exp(-4); product *= uniform()) count++
    return count
  }
  const sample = columnOf(Array.from({ length: 4000 }, poisson))
  const family = negativeBinomial({ components: 1, columns: 1 })
  const { sizes, means } = family.initial(sample)
  expect(sizes![0]).toBeGreaterThan(60)
  expect(means![0]).toBeCloseTo(4, 0)
})

test('moments are of mean μ and variance μ + μ²/r', () => {
  const family = negativeBinomial({ components: 1, columns: 1 })
  const { means, variances } = family.moments({ means: Float64Array.of(6), sizes: Float64Array.of(2) })
  expect([means[0], variances[0]]).toEqual([6, 24])
})
