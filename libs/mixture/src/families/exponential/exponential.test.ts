import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { mixture } from '../../em/mixture.ts'
import { familyLaws } from '../../laws/family-laws.ts'
import { DEFAULT_PRIOR } from '../../model/specification.ts'
import { empty } from '../family.ts'
import { exponential } from './exponential.ts'

familyLaws(
  'exponential',
  {
    make: (components, columns) => exponential({ components, columns }),
    value: (random, j, group) => -Math.log(1 - random()) * (1 + j) * 4 ** group,
  },
  { runs: 1000, columns: [1, 2, 3, 5] },
)

const fixture = JSON.parse(
  readFileSync(new URL('../../../../../test/reference/fixtures/exponential.json', import.meta.url), 'utf8'),
) as Record<'weights' | 'logDensity', number[]> &
  Record<'scales' | 'componentLogDensity' | 'posterior' | 'maximisedScales', number[][]> & {
    readonly events: (number | null)[][]
  }

test('densities, posteriors and an EM step are scipy’s, missing values among them', () => {
  const family = exponential({ components: 2, columns: 2 })
  const model = mixture(family)
  const rows = fixture.events.length
  const values = Float64Array.from(fixture.events.flat(), x => x ?? Number.NaN)
  const block = { rows, columns: 2, values }
  const parameters = {
    weights: Float64Array.from(fixture.weights),
    scales: Float64Array.from(fixture.scales.flat()),
  }
  const logs = new Float64Array(rows * 2)
  family.logDensity(parameters, block, logs)
  const posterior = new Float64Array(rows * 2)
  const logDensity = new Float64Array(rows)
  model.score(parameters, block, posterior, logDensity)
  const statistics = empty(model)
  model.expectation(parameters, block, undefined, statistics)
  const { scales } = model.maximise(statistics, DEFAULT_PRIOR, parameters)
  const expectClose = (actual: Float64Array, expected: readonly number[]) =>
    expected.forEach((value, i) => {
      expect(Math.abs(actual[i]! - value)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(value)))
    })
  expectClose(logs, fixture.componentLogDensity.flat())
  expectClose(posterior, fixture.posterior.flat())
  expectClose(logDensity, fixture.logDensity)
  expectClose(scales!, fixture.maximisedScales.flat())
})

test('a negative value is missing', () => {
  const family = exponential({ components: 1, columns: 1 })
  const out = new Float64Array(2)
  family.logDensity({ scales: Float64Array.of(2) }, { rows: 2, columns: 1, values: Float64Array.of(-1, 0) }, out)
  expect([...out]).toEqual([0, -Math.log(2)])
})
