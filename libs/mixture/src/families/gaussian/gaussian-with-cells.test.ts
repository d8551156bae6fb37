import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { COVARIANCES, expectKernelsToAgree, fitted, steps } from '../../../test/kernel-agreement.ts'
import { mixture } from '../../em/mixture.ts'
import { createKernel } from '../../kernel/kernel.ts'
import { familyLaws } from '../../laws/family-laws.ts'
import { DEFAULT_PRIOR } from '../../model/specification.ts'
import { type Random, random, standardNormal } from '../../numerics/random.ts'
import type { Block } from '../block.ts'
import { bernoulli } from '../discrete/bernoulli.ts'
import { empty, type Parameters } from '../family.ts'
import { product } from '../product.ts'
import { studentT } from '../student-t/student-t.ts'
import { gaussianFromMoments } from './from-moments.ts'
import { gaussianWithCells } from './gaussian-with-cells.ts'

const fixture = JSON.parse(
  gunzipSync(readFileSync(new URL('../../../../../test/reference/fixtures/cells.json.gz', import.meta.url))).toString(),
)

/** Half of the columns are numbers, the other half their cells' variances. */
const halves = (columns: number) => ({ columns: columns / 2, cells: Array.from({ length: columns / 2 }, (_, j) => j) })
const value = (columns: number) => (uniform: Random, j: number, group: number) =>
  j < columns / 2 ? Math.round(standardNormal(uniform) * (1 + j) + 2 * group) : 0.05 + uniform() / 10

for (const covariance of ['full', 'tied', 'diag', 'spherical', 'factor'] as const)
  familyLaws(
    `gaussian with cells, ${covariance}`,
    {
      make: (components, columns) => gaussianWithCells({ components, covariance, ...halves(columns) }),
      value: value(4),
      valueColumns: columns => columns / 2,
      // What a missing value owes to the cells of the others is left out.
      monotoneTolerance: 1e-2,
    },
    { runs: 200, columns: [4] },
  )

familyLaws(
  'student-t with cells',
  {
    make: (components, columns) => studentT({ components, covariance: 'full', ...halves(columns) }),
    value: value(4),
    valueColumns: columns => columns / 2,
    monotoneTolerance: 1e-2,
  },
  { runs: 200, columns: [4] },
)

describe('known answers: the moments of the cells, corner by corner', () => {
  const rows = fixture.values.length
  const block: Block = {
    rows,
    columns: 5,
    values: Float64Array.from(fixture.values.flatMap((row: number[], n: number) => [...row, ...fixture.variances[n]])),
  }
  for (const kernel of ['webassembly', 'typescript'] as const)
    test.each(fixture.cases as Reference[])(`$covariance, ${kernel}`, reference => {
      const { covariance } = reference
      const options = { components: 2, columns: 3, covariance, cells: fixture.cells as number[] }
      const model = createKernel(kernel).accelerate(mixture(gaussianWithCells(options)))
      const initial = model.initial(block)
      let parameters: Parameters = {
        weights: Float64Array.of(0.5, 0.5),
        ...gaussianFromMoments(options, Float64Array.of(-0.5, -0.5, -0.5, 2, 2, 2), unit(covariance), initial),
      }
      for (let i = 0; i < fixture.iterations; i++) {
        const statistics = empty(model)
        model.expectation(parameters, block, undefined, statistics)
        parameters = model.maximise(statistics, { ...DEFAULT_PRIOR, varianceFloor: 0 }, parameters)
      }
      const { total } = steps(model, parameters, block)
      expect(total[0]! / rows).toBeCloseTo(reference.meanLogDensity, 10)
      expectClose([...parameters.weights!], reference.weights)
      expectClose([...parameters.means!], reference.means.flat())
      expectClose([...parameters.covariances!], packed(covariance, reference.covariances))
    })
})

interface Reference {
  readonly covariance: 'full' | 'tied' | 'diag' | 'spherical'
  readonly weights: number[]
  readonly means: number[][]
  readonly covariances: number[][][]
  readonly meanLogDensity: number
}

const TRIANGLE = [0, 1, 2].flatMap(i => [0, 1, 2].slice(0, i + 1).map(j => [i, j] as const))

const unit = (covariance: Reference['covariance']): Float64Array => {
  const one = [0, 1].map(() => [0, 1, 2].map(i => [0, 1, 2].map(j => Number(i === j))))
  return Float64Array.from(packed(covariance, one))
}

function packed(covariance: Reference['covariance'], [first, second]: number[][][]): number[] {
  const triangle = (matrix: number[][]) => TRIANGLE.map(([i, j]) => matrix[i]![j]!)
  const both = [first!, second!]
  if (covariance === 'full') return both.flatMap(triangle)
  if (covariance === 'tied') return triangle(first!)
  return both.flatMap(matrix => (covariance === 'diag' ? matrix.map((row, i) => row[i]!) : [matrix[0]![0]!]))
}

const expectClose = (actual: number[], expected: number[]): void => {
  expect(actual).toHaveLength(expected.length)
  for (const [i, x] of actual.entries()) expect(x).toBeCloseTo(expected[i]!, 9)
}

describe.each(COVARIANCES)('the compiled kernel of cells, %s', covariance => {
  test.each([1, 3, 6])('agrees with the reference, alone and beside spikes, K = %i', components => {
    const uniform = random(components)
    const rows = 300
    const d = 4
    const cells = [0, 2, 3]
    const sample = (spikes: number): Block => {
      const values = new Float64Array(rows * (d + spikes + cells.length))
      for (let n = 0, at = 0; n < rows; n++) {
        const z = Array.from({ length: d }, (_, j) =>
          uniform() < 0.3 ? Number.NaN : standardNormal(uniform) + 3 * Math.sin(5 * j + Math.floor(uniform() * 3)),
        )
        for (const x of z) values[at++] = x
        for (let s = 0; s < spikes; s++) values[at++] = Number(Number.isNaN(z[s]!))
        for (const j of cells) values[at++] = Number.isNaN(z[j]!) ? Number.NaN : 0.1 + Math.floor(uniform() * 4) / 30
      }
      return { rows, columns: d + spikes + cells.length, values }
    }
    const numbers = gaussianWithCells({ components, columns: d, covariance, cells })
    const alone = mixture(numbers)
    const weights = Float64Array.from({ length: rows }, uniform)
    for (const [model, block] of [
      [alone, sample(0)],
      [
        mixture(
          product([
            { name: 'number', columns: [0, 1, 2, 3, 6, 7, 8], family: numbers },
            { name: 'spike', columns: [4, 5], family: bernoulli({ components, columns: 2 }) },
          ]),
        ),
        sample(2),
      ],
    ] as const) {
      const parameters = fitted(model, block, uniform)
      expectKernelsToAgree(model, on => steps(on, parameters, block, weights), 1e-11)
    }
  })
})

test('no component can collapse on one value: its variance is that of its cells', () => {
  const model = mixture(gaussianWithCells({ components: 1, columns: 1, covariance: 'full', cells: [0] }))
  const block: Block = {
    rows: 50,
    columns: 2,
    values: Float64Array.from({ length: 100 }, (_, i) => (i % 2 ? 0.25 : 3)),
  }
  let parameters = model.initial(block)
  const statistics = empty(model)
  model.expectation(parameters, block, undefined, statistics)
  parameters = model.maximise(statistics, DEFAULT_PRIOR, parameters)
  expect(parameters.covariances![0]).toBeCloseTo(0.25, 12)
})
