import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { nestedError } from '../../test/sklearn-fixture.ts'
import { batchEm } from '../em/estimators/batch-em.ts'
import { mixture } from '../em/mixture.ts'
import type { Block } from '../families/block.ts'
import { empty, type Parameters } from '../families/family.ts'
import { gaussianFromMoments } from '../families/gaussian/from-moments.ts'
import { gaussian } from '../families/gaussian/gaussian.ts'
import { studentT } from '../families/student-t/student-t.ts'
import { createMixture } from '../model/create-mixture.ts'
import { createSpecification, DEFAULT_PRIOR } from '../model/specification.ts'
import { estimateTransform } from '../model/transform.ts'
import { packSymmetric, unpackSymmetric } from '../numerics/packed.ts'
import { random } from '../numerics/random.ts'
import { warmUp } from '../start/warm-up.ts'

type Rows = (number | null)[][]

interface StepMixResult {
  readonly weights: number[]
  readonly means: number[][]
  readonly variances: number[][]
  readonly categoryProbabilities: number[][]
  readonly booleanProbabilities: number[][]
  readonly meanLogLikelihood: number
}

/** `test/reference/families.py` says how each of these was made. */
interface Fixture {
  readonly stepmix: {
    readonly start: number[][]
    readonly complete: { readonly data: Rows; readonly after1: StepMixResult; readonly after20: StepMixResult }
    readonly missing: { readonly data: Rows; readonly converged: StepMixResult }
  }
  readonly wine: number[][]
  readonly factorAnalysis: { readonly factors: number; readonly meanLogLikelihood: number }[]
  readonly multivariateT: {
    readonly degreesOfFreedom: number
    readonly mean: number[]
    readonly shape: number[][]
    readonly points: number[][]
    readonly logDensity: number[]
  }[]
  readonly missingNormal: { readonly data: Rows; readonly mean: number[]; readonly covariance: number[][] }
}

const url = new URL('../../../../test/reference/fixtures/families.json.gz', import.meta.url)
const fixture = JSON.parse(gunzipSync(readFileSync(url)).toString()) as Fixture
const withoutFloor = { ...DEFAULT_PRIOR, varianceFloor: 0 }

const blockOf = (rows: Rows): Block => ({
  rows: rows.length,
  columns: rows[0]!.length,
  values: Float64Array.from(rows.flat(), x => x ?? Number.NaN),
})

describe('StepMix: numbers, a category and booleans', () => {
  const specification = createSpecification({
    features: [
      'a',
      'b',
      { name: 'c', type: 'category', categories: 3 },
      { name: 'd', type: 'boolean' },
      { name: 'e', type: 'boolean' },
    ],
    components: 3,
    covariance: 'diag',
    standardise: false,
    prior: withoutFloor,
  })
  const model = createMixture(specification)

  const startOf = (block: Block): Parameters => {
    const initial = model.initial(block)
    const statistics = empty(model)
    model.inner.observe(statistics, block, Float64Array.from(fixture.stepmix.start.flat()), initial)
    return { ...model.maximise(statistics, withoutFloor, initial), weights: new Float64Array(3).fill(1 / 3) }
  }

  const compare = (parameters: Parameters, block: Block, expected: StepMixResult, tolerance: number) => {
    const { logLikelihood } = model.expectation(parameters, block, undefined, empty(model))
    expect(Math.abs(logLikelihood / block.rows - expected.meanLogLikelihood)).toBeLessThan(1e-8)
    expect(nestedError([...parameters.weights!], expected.weights)).toBeLessThan(tolerance)
    expect(nestedError([...parameters['number.means']!], expected.means.flat())).toBeLessThan(tolerance)
    expect(nestedError([...parameters['number.covariances']!], expected.variances.flat())).toBeLessThan(tolerance)
    const categories = [...parameters['category.probabilities']!]
    expect(nestedError(categories, expected.categoryProbabilities.flat())).toBeLessThan(tolerance)
    const booleans = [...parameters['boolean.probabilities']!]
    expect(nestedError(booleans, expected.booleanProbabilities.flat())).toBeLessThan(tolerance)
  }

  test('complete events: equal after 1 and after 20 iterations from the same start', () => {
    const { data, after1, after20 } = fixture.stepmix.complete
    const block = blockOf(data)
    for (const [maxIterations, expected] of [
      [1, after1],
      [20, after20],
    ] as const) {
      const estimator = batchEm({ prior: withoutFloor, tolerance: 0, maxIterations })
      const { parameters } = estimator.fit(model, block, undefined, { parameters: startOf(block) })
      compare(parameters, block, expected, 1e-9)
    }
  })

  test('a fifth of the values missing: the same maximum, reached from the same start', () => {
    const { data, converged } = fixture.stepmix.missing
    const block = blockOf(data)
    const estimator = batchEm({ prior: withoutFloor, tolerance: 0, maxIterations: 3000 })
    const { parameters } = estimator.fit(model, block, undefined, { parameters: startOf(block) })
    compare(parameters, block, converged, 1e-6)
  })
})

describe('scikit-learn FactorAnalysis on wine', () => {
  for (const { factors, meanLogLikelihood } of fixture.factorAnalysis)
    test(`${factors} factors: the same likelihood to 1e-6`, () => {
      const block = blockOf(fixture.wine)
      const model = mixture(gaussian({ components: 1, columns: block.columns, covariance: 'factor', factors }))
      const estimator = batchEm({ prior: withoutFloor, tolerance: 1e-13, maxIterations: 5000 })
      const fit = estimator.fit(model, block, undefined, { parameters: model.initial(block) })
      expect(Math.abs(fit.lowerBound - meanLogLikelihood)).toBeLessThan(1e-6)
    })
})

describe('SciPy multivariate_t', () => {
  for (const { degreesOfFreedom, mean, shape, points, logDensity } of fixture.multivariateT)
    test(`d = ${mean.length}, ν = ${degreesOfFreedom}`, () => {
      const options = { components: 1, columns: mean.length, covariance: 'full' as const }
      const family = studentT({ ...options, degreesOfFreedom })
      const block = blockOf(points)
      const initial = family.initial(block)
      const packed = packSymmetric(shape.flat(), mean.length)
      const parameters = {
        ...gaussianFromMoments(options, Float64Array.from(mean), packed, initial),
        degreesOfFreedom: Float64Array.of(degreesOfFreedom),
      }
      const out = new Float64Array(block.rows)
      family.logDensity(parameters, block, out)
      logDensity.forEach((expected, n) => {
        expect(Math.abs(out[n]! / expected - 1)).toBeLessThan(1e-10)
      })
    })
})

test('full covariance with 30 % missing: the estimates of an independent EM for a multivariate normal', () => {
  const { data, mean, covariance } = fixture.missingNormal
  const block = blockOf(data)
  const specification = createSpecification({ features: ['a', 'b', 'c', 'd'], components: 1, prior: withoutFloor })
  const { parameters } = warmUp(
    { ...specification, warmUp: { ...specification.warmUp, restarts: 1 } },
    block,
    undefined,
    random(1),
  )
  // In the user's units, to compare.
  const raw = createMixture({ ...specification, standardise: false })
  const estimator = batchEm({ prior: withoutFloor, tolerance: 0, maxIterations: 2000 })
  const fit = estimator.fit(raw, block, undefined, { parameters: raw.initial(block) })
  expect(nestedError([...fit.parameters.means!], mean)).toBeLessThan(1e-6)
  expect(nestedError([...unpackSymmetric(fit.parameters.covariances!, 4)], covariance.flat())).toBeLessThan(1e-6)
  // The standardised model is the same one.
  expect(parameters.transformScale).toEqual(estimateTransform(specification, block).transformScale)
})
