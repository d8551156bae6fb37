import { describe, expect, test } from 'vitest'
import { onKernel } from '../../test/on-kernel.ts'
import { familyLaws } from '../laws/family-laws.ts'
import { standardNormal } from '../numerics/random.ts'
import { categorical } from './discrete/categorical.ts'
import { poisson } from './discrete/poisson.ts'
import { gaussian } from './gaussian/gaussian.ts'
import { product } from './product.ts'
import { studentT } from './student-t/student-t.ts'

const make = (components: number) =>
  product([
    { name: 'number', columns: [0, 3], family: gaussian({ components, columns: 2, covariance: 'full' }) },
    { name: 'count', columns: [2], family: poisson({ components, columns: 1 }) },
    { name: 'category', columns: [1], family: categorical({ components, categories: [3] }) },
  ])

familyLaws(
  'product of gaussian, poisson and categorical',
  {
    make: components => onKernel(make(components)),
    value: (random, j, group) =>
      j === 1
        ? Math.floor(random() * (1 + group))
        : j === 2
          ? Math.floor(random() * 4 * group)
          : standardNormal(random) + 2 * group,
  },
  { runs: 1000, columns: [4] },
)

describe('product', () => {
  test('its density is the product of its factors', () => {
    const family = make(2)
    const values = Float64Array.of(0.3, 2, 4, -1, 1.5, 0, 1, 0.5, -0.2, 1, 0, 2)
    const block = { rows: 3, columns: 4, values }
    const parameters = family.initial(block)
    const whole = new Float64Array(6)
    family.logDensity(parameters, block, whole)
    const sum = new Float64Array(6)
    const pick = (columns: number[]) => Float64Array.from([0, 1, 2].flatMap(n => columns.map(j => values[n * 4 + j]!)))
    const parts = [
      { name: 'number', columns: [0, 3], family: gaussian({ components: 2, columns: 2, covariance: 'full' }) },
      { name: 'count', columns: [2], family: poisson({ components: 2, columns: 1 }) },
      { name: 'category', columns: [1], family: categorical({ components: 2, categories: [3] }) },
    ]
    for (const { columns, family: part } of parts) {
      const own = { rows: 3, columns: columns.length, values: pick(columns) }
      const out = new Float64Array(6)
      part.logDensity(part.initial(own), own, out)
      for (let i = 0; i < 6; i++) sum[i]! += out[i]!
    }
    for (let i = 0; i < 6; i++) expect(whole[i]).toBeCloseTo(sum[i]!, 12)
  })

  test('refuses factors that do not fit together', () => {
    const t = studentT({ components: 2, columns: 1, covariance: 'diag' })
    expect(() => product([])).toThrow('factors: expected at least one')
    expect(() => product([{ name: 'a', columns: [1], family: t }])).toThrow('factors.columns: expected each of 0 … 0')
    expect(() =>
      product([
        { name: 'a', columns: [0], family: t },
        { name: 'a', columns: [1], family: t },
      ]),
    ).toThrow('factors.a: expected a name used once')
  })
})
