import { batchEm, createSpecification, fitModel, random } from '@eddy/mixture'
import { expect, it } from 'vitest'
import { segmentTable } from './segment-table.ts'

it('shows segments that are copies of one another as one line, and says so', () => {
  const specification = createSpecification({ features: ['x'], components: 1 })
  const block = { rows: 4, columns: 1, values: Float64Array.of(1, 2, 3, 4) }
  const estimator = batchEm({ prior: specification.prior })
  const { parameters } = fitModel(specification, block, undefined, { estimator, random: random(1) })
  const twice = (array: Float64Array) => Float64Array.of(...array, ...array)
  const model = {
    specification: createSpecification({ features: ['x'], components: 2 }),
    parameters: {
      ...Object.fromEntries(
        Object.entries(parameters).map(([name, array]) => [name, name.startsWith('transform') ? array : twice(array)]),
      ),
      weights: Float64Array.of(0.7, 0.3),
    },
  }
  const customers = [{ count: 3 }, { count: 1 }]
  const shown = segmentTable(model, { columns: [{ name: 'x', type: 'number' }], ids: ['s1', 's2'], customers })
  expect(shown.split('\n').map(line => line.trim().split(/ {2,}/))).toEqual([
    ['segment', 'share', 'customers', 'x'],
    ['s1', '100.0%', '4', '2.5'],
    ['s1 stands for s2 too, which is the same: fewer segments would do.'],
  ])
})
