import { describe, expect, test } from 'vitest'
import { familyLaws } from '../../laws/family-laws.ts'
import { DEFAULT_PRIOR } from '../../model/specification.ts'
import { empty } from '../family.ts'
import { bernoulli } from './bernoulli.ts'
import { categorical } from './categorical.ts'
import { multinomial } from './multinomial.ts'
import { poisson } from './poisson.ts'

const small = { runs: 1000, columns: [1, 2, 3, 5] }
const wide = { runs: 20, columns: [16, 64] }
const widest = { runs: 2, columns: [256], maxRows: 5 }
for (const options of [small, wide, widest]) {
  const title = `d = ${options.columns.join(', ')}`
  familyLaws(
    `bernoulli, ${title}`,
    {
      make: (components, columns) => bernoulli({ components, columns }),
      value: (random, j, group) => (random() < (1 + ((group + j) % 3)) / 4 ? 1 : 0),
    },
    options,
  )
  familyLaws(
    `poisson, ${title}`,
    {
      make: (components, columns) => poisson({ components, columns }),
      value: (random, j, group) => Math.floor((random() + random()) * (1 + group * 3 + (j % 2))),
    },
    options,
  )
  familyLaws(
    `categorical, ${title}`,
    {
      make: (components, columns) =>
        categorical({ components, categories: Array.from({ length: columns }, (_, j) => 2 + (j % 3)) }),
      value: (random, j, group) => Math.floor(random() ** (1 + group) * (2 + (j % 3))),
    },
    options,
  )
  familyLaws(
    `multinomial, ${title}`,
    {
      make: (components, columns) => multinomial({ components, columns }),
      value: (random, j, group) => Math.floor(random() * (1 + ((group + j) % 3) * 3)),
    },
    options,
  )
}

const column = (values: readonly number[]) => ({ rows: values.length, columns: 1, values: Float64Array.from(values) })

describe('known densities', () => {
  test('poisson: λ = 3.5, x = 2', () => {
    const out = new Float64Array(1)
    poisson({ components: 1, columns: 1 }).logDensity({ rates: Float64Array.of(3.5) }, column([2]), out)
    expect(out[0]).toBeCloseTo(Math.log((3.5 ** 2 * Math.exp(-3.5)) / 2), 13)
  })

  test('multinomial: counts 1, 2, 0 with p = .2, .5, .3', () => {
    const out = new Float64Array(1)
    const block = { rows: 1, columns: 3, values: Float64Array.of(1, 2, 0) }
    multinomial({ components: 1, columns: 3 }).logDensity({ probabilities: Float64Array.of(0.2, 0.5, 0.3) }, block, out)
    expect(out[0]).toBeCloseTo(Math.log(3 * 0.2 * 0.5 ** 2), 13)
  })

  test('grades: θ converges to N_c / N, in one M-step', () => {
    const family = categorical({ components: 1, categories: [3] })
    const block = column([0, 0, 1, 2, 2, 2, Number.NaN, 7])
    const statistics = empty(family)
    family.observe(statistics, block, new Float64Array(8).fill(1), family.initial(block))
    const { probabilities } = family.maximise(statistics, DEFAULT_PRIOR, family.initial(block))
    expect([...probabilities!].map(p => p * 6)).toEqual([2, 1, 3].map(c => expect.closeTo(c, 12)))
  })

  test('a prior pulls probabilities to the overall shares', () => {
    const family = bernoulli({ components: 2, columns: 1 })
    const block = column([1, 1, 0, 0])
    const responsibilities = Float64Array.of(1, 0, 1, 0, 0, 1, 0, 1)
    const statistics = empty(family)
    family.observe(statistics, block, responsibilities, family.initial(block))
    const prior = { ...DEFAULT_PRIOR, meanPseudoEvents: 2 }
    expect([...family.maximise(statistics, prior, family.initial(block)).probabilities!]).toEqual([0.75, 0.25])
  })
})
