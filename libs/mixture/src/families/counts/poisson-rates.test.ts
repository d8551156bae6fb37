import { expect, test } from 'vitest'
import { familyLaws } from '../../laws/family-laws.ts'
import { DEFAULT_PRIOR } from '../../model/specification.ts'
import { poisson } from '../discrete/poisson.ts'
import { empty } from '../family.ts'

const exposedPoisson = (components: number, columns: number) =>
  poisson({ components, columns: columns / 2, exposed: Array.from({ length: columns / 2 }, (_, j) => j) })

familyLaws(
  'poisson under exposures',
  {
    make: exposedPoisson,
    value: (uniform, j, group) => Math.floor((uniform() + uniform()) * (2 + group * 3 + (j % 2))),
    valueColumns: columns => columns / 2,
  },
  { runs: 1000, columns: [2, 4] },
)

/** Counts 3, 0, 10 in 2, 1, 5 days, and what says nothing: no count, no exposure, one of 0. */
const values = Float64Array.of(3, 2, 0, 1, 10, 5, Number.NaN, 4, 7, Number.NaN, 7, 0)
const block = { rows: 6, columns: 2, values }

test('the rate is the sum of counts by the sum of exposures', () => {
  const family = exposedPoisson(1, 2)
  const statistics = empty(family)
  family.observe(statistics, block, new Float64Array(6).fill(1), family.initial(block))
  expect(family.maximise(statistics, DEFAULT_PRIOR, family.initial(block)).rates![0]).toBeCloseTo(13 / 8, 14)
})

test('a count has the probability of the rate times its exposure, and none where it says nothing', () => {
  const out = new Float64Array(6)
  exposedPoisson(1, 2).logDensity({ rates: Float64Array.of(1.5) }, block, out)
  const plain = (x: number, rate: number) => {
    const one = new Float64Array(1)
    poisson({ components: 1, columns: 1 }).logDensity(
      { rates: Float64Array.of(rate) },
      { rows: 1, columns: 1, values: Float64Array.of(x) },
      one,
    )
    return one[0]!
  }
  ;[plain(3, 3), plain(0, 1.5), plain(10, 7.5), 0, 0, 0].forEach((expected, n) => {
    expect(out[n]).toBeCloseTo(expected, 13)
  })
})

test('counts without an exposure stand beside counts with one', () => {
  const family = poisson({ components: 1, columns: 2, exposed: [1] })
  const mixed = { rows: 2, columns: 3, values: Float64Array.of(4, 6, 3, 2, 10, 5) }
  const statistics = empty(family)
  family.observe(statistics, mixed, Float64Array.of(1, 1), family.initial(mixed))
  const { rates } = family.maximise(statistics, DEFAULT_PRIOR, family.initial(mixed))
  expect([...rates!]).toEqual([3, 2])
})
