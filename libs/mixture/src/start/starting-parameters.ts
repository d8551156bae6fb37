import type { Block } from '../families/block.ts'
import type { Parameters } from '../families/family.ts'
import { gaussianFromMoments } from '../families/gaussian/from-moments.ts'
import { createMixture } from '../model/create-mixture.ts'
import { modelColumns } from '../model/model-columns.ts'
import type { FeatureSpecification, ModelSpecification } from '../model/specification.ts'
import { applyTransform, type TransformParameters } from '../model/transform.ts'
import { packedIndex, packedLength } from '../numerics/packed.ts'
import { checkCovariance, checkVariance } from './check-covariance.ts'

/** Starting values as scikit-learn names and nests them, in the user's units (a bent feature: bent). */
export interface StartingJson {
  /** shape (K); equal weights if absent */
  readonly weights_?: readonly number[]
  /** shape (K, d) */
  readonly means_: readonly (readonly number[])[]
  /** full (K, d, d), tied (d, d), diag (K, d), spherical (K) or (K, d); the overall variances if absent */
  readonly covariances_?: unknown
  /** how the features entered the model that these are from; as they are if absent */
  readonly specification?: { readonly features?: readonly FeatureSpecification[] }
}

/**
 * Parameters in model space from starting values in the user's units.
 * @param transform from `estimateTransform` on the same events
 * @param block the events, user's units: they fix the reference point
 * @throws Error naming the field whose shape is not as expected, or which covariance cannot be one
 */
export function startingParameters(
  specification: ModelSpecification,
  transform: TransformParameters,
  block: Block,
  json: StartingJson,
): Parameters {
  const { components: K, covariance, features, factors } = specification
  const d = features.length
  if (features.some(feature => feature.type !== 'number'))
    throw new Error('means_: expected features of type number only; start from the data where there are other types')
  if (modelColumns(specification).spikes.length > 0)
    throw new Error(
      'means_: expected features without an atom, got some with one; start from the data, or from a model that was fitted with --transform none',
    )
  const { transformCentre: centre, transformScale: scale } = transform
  const initial = createMixture(specification).initial(applyTransform(specification, transform, block).block)
  const weights = Float64Array.from(vector('weights_', json.weights_ ?? new Array(K).fill(1), K))
  const sum = weights.reduce((a, b) => a + b, 0)
  if (!(weights.every(w => w >= 0) && sum > 0)) throw new Error('weights_: expected numbers ≥ 0 with a positive sum')
  const means = Float64Array.from(
    matrix('means_', json.means_, K, d).flatMap(row => row.map((m, j) => (m - centre[j]!) / scale[j]!)),
  )
  const options = { components: K, columns: d, covariance, ...(factors === undefined ? {} : { factors }) }
  const covariances =
    json.covariances_ === undefined ? undefined : packedCovariances(specification, scale, json.covariances_)
  const gaussian = gaussianFromMoments(options, means, covariances, initial)
  return { ...transform, ...gaussian, weights: weights.map(w => w / sum) }
}

function packedCovariances(specification: ModelSpecification, scale: Float64Array, value: unknown): Float64Array {
  const { components: K, covariance } = specification
  const d = scale.length
  const name = 'covariances_'
  if (covariance === 'spherical' && isTable(value)) {
    // What one variance in model units is in the user's: d variances, which give it back.
    const rows = positive(name, matrix(name, value, K, d))
    return Float64Array.from(rows, row => row.reduce((sum, v, j) => sum + v / scale[j]! ** 2, 0) / d)
  }
  if (covariance === 'spherical') {
    // One variance in the user's units is d variances in model units: their mean stands for them.
    const shrink = scale.reduce((sum, s) => sum + 1 / (s * s), 0) / d
    return Float64Array.from(positive(name, [vector(name, value, K)])[0]!, v => v * shrink)
  }
  if (covariance === 'diag')
    return Float64Array.from(
      positive(name, matrix(name, value, K, d)).flatMap(row => row.map((v, j) => v / scale[j]! ** 2)),
    )
  const matrices = covariance === 'tied' ? [value] : list(name, value, K)
  const p = packedLength(d)
  const packed = new Float64Array(matrices.length * p)
  matrices.forEach((m, k) => {
    const which = covariance === 'tied' ? name : `${name}[${k}]`
    const rows = matrix(which, m, d, d)
    checkCovariance(which, rows)
    for (let i = 0; i < d; i++)
      for (let j = 0; j <= i; j++) packed[k * p + packedIndex(i, j)] = rows[i]![j]! / (scale[i]! * scale[j]!)
  })
  return packed
}

const isTable = (value: unknown): boolean => Array.isArray(value) && Array.isArray(value[0])

function positive(name: string, rows: number[][]): number[][] {
  for (const [i, row] of rows.entries())
    for (const [j, v] of row.entries()) checkVariance(rows.length > 1 ? `${name}[${i}][${j}]` : `${name}[${j}]`, v)
  return rows
}

function list(name: string, value: unknown, length: number): unknown[] {
  if (!Array.isArray(value) || value.length !== length)
    throw new Error(
      `${name}: expected an array of ${length}, got ${Array.isArray(value) ? `${value.length}` : typeof value}`,
    )
  return value
}

function vector(name: string, value: unknown, length: number): number[] {
  const items = list(name, value, length)
  if (!items.every(Number.isFinite))
    throw new Error(`${name}: expected finite numbers, got ${JSON.stringify(items).slice(0, 60)}`)
  return items as number[]
}

function matrix(name: string, value: unknown, rows: number, columns: number): number[][] {
  return list(name, value, rows).map((row, i) => vector(`${name}[${i}]`, row, columns))
}
