import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { DEFAULT_PRIOR, empty, gaussian, type Kernel, type Mixture, mixture, type Parameters } from '@eddy/mixture'
import { gaussianFromMoments } from '../src/families/gaussian/from-moments.ts'
import { packSymmetric } from '../src/numerics/packed.ts'
import { blockOf, nestedError } from './sklearn-fixture.ts'

/** One EM step as `test/reference/expectation.py` records it: nested as in scikit-learn. */
export interface ExpectationCase {
  readonly covariance: 'full' | 'tied' | 'diag' | 'spherical'
  readonly start: { readonly weights: number[]; readonly covariances: unknown }
  readonly logDensity: number[]
  /** sums about 0 under scikit-learn's responsibilities */
  readonly statistics: { readonly s0: number[]; readonly s1: number[][]; readonly s2: unknown }
  readonly maximised: { readonly weights: number[]; readonly means: number[][]; readonly covariances: unknown }
}

export interface ExpectationShape {
  readonly means: number[][]
  readonly events: number[][]
  readonly cases: readonly ExpectationCase[]
}

/** @param folder as a URL, ending with / */
export function readExpectations(
  folder = new URL('../../../test/reference/fixtures/', import.meta.url).href,
): ExpectationShape[] {
  const file = gunzipSync(readFileSync(new URL('expectation.json.gz', folder)))
  return (JSON.parse(file.toString()) as { shapes: ExpectationShape[] }).shapes
}

/** Flat, triangles packed, as a gaussian family holds it. */
function packed(covariance: ExpectationCase['covariance'], nested: unknown, columns: number): Float64Array {
  const flat = Float64Array.from([nested].flat(4) as number[])
  if (covariance === 'diag' || covariance === 'spherical') return flat
  const size = columns * columns
  const triangles = Array.from({ length: flat.length / size }, (_, k) =>
    packSymmetric(flat.subarray(k * size, (k + 1) * size), columns),
  )
  return Float64Array.from(triangles.flatMap(triangle => [...triangle]))
}

interface Step {
  readonly model: Mixture
  readonly parameters: Parameters
  readonly block: ReturnType<typeof blockOf>
}

/** The same step here. @param reference about which the statistics are taken; the events' mean if absent */
function prepare(
  kernel: Kernel,
  shape: ExpectationShape,
  { covariance, start }: ExpectationCase,
  offset: number,
  reference?: number,
) {
  const moved = (rows: number[][]) => rows.map(row => row.map(x => x + offset))
  const block = blockOf(moved(shape.events))
  const options = { components: shape.means.length, columns: block.columns, covariance }
  const model = kernel.accelerate(mixture(gaussian(options)))
  const own = model.initial(block)
  const initial = reference === undefined ? own : { ...own, reference: own.reference!.map(() => reference) }
  const means = Float64Array.from(moved(shape.means).flat())
  const covariances = packed(covariance, start.covariances, block.columns)
  const parameters = {
    ...gaussianFromMoments(options, means, covariances, initial),
    weights: Float64Array.from(start.weights),
  }
  return { model, parameters, block } satisfies Step
}

/** Largest relative error of each array against scikit-learn's, log density per event against its own size. */
export function expectationErrors(
  kernel: Kernel,
  shape: ExpectationShape,
  expected: ExpectationCase,
  offset = 0,
): Record<string, number> {
  const { covariance } = expected
  const K = shape.means.length
  const { model, parameters, block } = prepare(kernel, shape, expected, offset)
  const { rows, columns: d } = block
  const posterior = new Float64Array(rows * K)
  const logDensity = new Float64Array(rows)
  model.score(parameters, block, posterior, logDensity)
  const statistics = empty(model)
  const { logLikelihood } = model.expectation(parameters, block, undefined, statistics)
  const total = expected.logDensity.reduce((a, b) => a + b, 0)
  const after = model.maximise(statistics, { ...DEFAULT_PRIOR, varianceFloor: 0 }, parameters)
  const shares = posterior.reduce((sums, r, i) => {
    sums[i % K]! += r
    return sums
  }, new Float64Array(K))
  const { maximised } = expected
  return {
    logDensity: Math.max(...expected.logDensity.map((l, n) => Math.abs(logDensity[n]! / l - 1))),
    logLikelihood: Math.abs(logLikelihood / total - 1),
    posterior: nestedError([...shares], expected.statistics.s0),
    weights: nestedError([...after.weights!], maximised.weights),
    means: nestedError(
      [...after.means!].map(mean => mean - offset),
      maximised.means,
    ),
    covariances: nestedError([...after.covariances!], [...packed(covariance, maximised.covariances, d)]),
    ...(offset === 0 ? statisticsErrors(kernel, shape, expected) : {}),
  }
}

/** Of the statistics about 0. */
function statisticsErrors(kernel: Kernel, shape: ExpectationShape, expected: ExpectationCase): Record<string, number> {
  const { s0, s1, s2 } = expected.statistics
  const { model, parameters, block } = prepare(kernel, shape, expected, 0, 0)
  const statistics = empty(model)
  model.expectation(parameters, block, undefined, statistics)
  const second = s0.length * (1 + block.columns)
  const kind = expected.covariance === 'spherical' ? 'diag' : expected.covariance
  return {
    s0: nestedError([...statistics.subarray(0, s0.length)], s0),
    s1: nestedError([...statistics.subarray(s0.length, second)], s1),
    s2: nestedError([...statistics.subarray(second)], [...packed(kind, s2, block.columns)]),
  }
}
