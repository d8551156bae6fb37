import type { Block } from '../families/block.ts'
import type { Parameters } from '../families/family.ts'
import type { FeatureSpecification, ModelSpecification, TransformName } from './specification.ts'
import { estimateYeoJohnson, yeoJohnson, yeoJohnsonInverse, yeoJohnsonLogDerivative } from './yeo-johnson.ts'

/**
 * The frozen transform of a model's features: z = (f(x) − centre) / scale with f one of `none`, `log1p` or `yeo-johnson`.
 * Arrays, all of shape (d), kept among the model's parameters: `transformCentre`, `transformScale`, `transformPower`
 * (Yeo–Johnson's λ; 1 elsewhere). Features that are not numbers pass through unchanged.
 *
 * log1p is continued to negative values as the odd function sign(x) log(1 + |x|), so that every number has an image.
 */
export type TransformParameters = Readonly<
  Record<'transformCentre' | 'transformScale' | 'transformPower', Float64Array>
>

/** Model space is cut off here, so that squares can be summed. */
const LARGEST_VALUE = 1e150

/** Events in model space, with what their density owes to the change of units. */
export interface TransformedBlock {
  readonly block: Block
  /** shape (rows): Σ_j log |dz_j/dx_j| over observed features, nats: log p(x) = log p(z) + this */
  readonly logJacobian: Float64Array
}

/**
 * Estimates the transform on a sample. A constant feature is centred and left unscaled.
 * @param block shape (rows, d), user's units; NaN where missing
 * @param weights shape (rows), 1 each if absent
 */
export function estimateTransform(
  specification: ModelSpecification,
  block: Block,
  weights?: Float64Array,
): TransformParameters {
  const d = specification.features.length
  const transformCentre = new Float64Array(d)
  const transformScale = new Float64Array(d).fill(1)
  const transformPower = new Float64Array(d).fill(1)
  specification.features.forEach((feature, j) => {
    if (feature.type !== 'number') return
    const sample = observedColumn(block, j, weights)
    const name = feature.transform ?? 'none'
    if (name === 'yeo-johnson') transformPower[j] = estimateYeoJohnson(sample.values, sample.weights)
    if (!specification.standardise) return
    const { mean, deviation } = moments(
      sample.values.map(x => bend(name, x, transformPower[j]!)),
      sample.weights,
    )
    transformCentre[j] = mean
    // What rounding leaves of a constant is not a scale.
    transformScale[j] =
      deviation > 1e-12 * Math.abs(mean) && deviation < Infinity ? deviation : Math.max(1, Math.abs(mean))
  })
  return { transformCentre, transformScale, transformPower }
}

/**
 * Events in model space.
 * @param parameters holds the transform's arrays
 * @param block shape (rows, d), user's units
 * @param into written to and returned, if given: at least as many rows
 */
export function applyTransform(
  specification: ModelSpecification,
  parameters: Parameters,
  block: Block,
  into?: { readonly values: Float64Array; readonly logJacobian: Float64Array },
): TransformedBlock {
  const { rows, columns: d } = block
  if (d !== specification.features.length)
    throw new Error(`block.columns: expected ${specification.features.length} (one a feature), got ${d}`)
  const values = into?.values ?? new Float64Array(rows * d)
  const logJacobian = into?.logJacobian ?? new Float64Array(rows)
  const plain = Uint8Array.from(specification.features, ({ type, transform = 'none' }) =>
    type === 'number' && transform === 'none' ? 1 : 0,
  )
  standardise(block, parameters, plain, values, logJacobian)
  for (let j = 0; j < d; j++) {
    const feature = specification.features[j]!
    const { name, centre, scale, power } = column(feature, parameters, j)
    const identity = feature.type !== 'number'
    const logScale = Math.log(scale)
    if (plain[j] === 1) continue
    for (let n = 0, at = j; n < rows; n++, at += d) {
      const x = block.values[at]!
      if (identity || Number.isNaN(x)) {
        values[at] = x
        continue
      }
      const z = (bend(name, x, power) - centre) / scale
      values[at] = Math.min(Math.max(z, -LARGEST_VALUE), LARGEST_VALUE)
      logJacobian[n]! += logDerivative(name, x, power) - logScale
    }
  }
  return {
    block: { rows, columns: d, values: values.length === rows * d ? values : values.subarray(0, rows * d) },
    logJacobian,
  }
}

/** Values of a tile: half the first-level cache. */
const TILE = 2048

/** Columns that are only centred and scaled, one after another, in tiles of rows that stay in the cache. @param logJacobian written to: their part */
function standardise(
  { rows, columns: d, values: from }: Block,
  parameters: Parameters,
  plain: Uint8Array,
  values: Float64Array,
  logJacobian: Float64Array,
): void {
  const logScale = parameters.transformScale!.map(Math.log)
  let whole = 0
  for (let j = 0; j < d; j++) if (plain[j] === 1) whole -= logScale[j]!
  logJacobian.fill(whole, 0, rows)
  const tile = Math.max(1, Math.floor(TILE / d))
  for (let first = 0; first < rows; first += tile) {
    const end = Math.min(rows, first + tile)
    for (let j = 0; j < d; j++) {
      if (plain[j] === 0) continue
      const centre = parameters.transformCentre![j]!
      const scale = parameters.transformScale![j]!
      for (let n = first, at = first * d + j; n < end; n++, at += d) {
        const z = (from[at]! - centre) / scale
        if (z <= LARGEST_VALUE && z >= -LARGEST_VALUE) values[at] = z
        else if (Number.isNaN(z)) {
          // A missing value leaves its density alone.
          values[at] = z
          logJacobian[n]! += logScale[j]!
        } else values[at] = z > 0 ? LARGEST_VALUE : -LARGEST_VALUE
      }
    }
  }
}

/** Events from model space back in the user's units. Means of bent features become the medians of their distribution. */
export function invertTransform(specification: ModelSpecification, parameters: Parameters, block: Block): Block {
  const { rows, columns: d } = block
  const values = new Float64Array(rows * d)
  for (let j = 0; j < d; j++) {
    const feature = specification.features[j]!
    const { name, centre, scale, power } = column(feature, parameters, j)
    for (let n = 0, at = j; n < rows; n++, at += d) {
      const z = block.values[at]!
      values[at] = feature.type === 'number' ? unbend(name, z * scale + centre, power) : z
    }
  }
  return { rows, columns: d, values }
}

function column(feature: FeatureSpecification, parameters: Parameters, j: number) {
  return {
    name: feature.transform ?? 'none',
    centre: parameters.transformCentre![j]!,
    scale: parameters.transformScale![j]!,
    power: parameters.transformPower![j]!,
  }
}

function bend(name: TransformName, x: number, power: number): number {
  if (name === 'none') return x
  if (name === 'log1p') return x < 0 ? -Math.log1p(-x) : Math.log1p(x)
  return yeoJohnson(x, power)
}

function unbend(name: TransformName, y: number, power: number): number {
  if (name === 'none') return y
  if (name === 'log1p') return y < 0 ? -Math.expm1(-y) : Math.expm1(y)
  return yeoJohnsonInverse(y, power)
}

function logDerivative(name: TransformName, x: number, power: number): number {
  if (name === 'none') return 0
  if (name === 'log1p') return -Math.log1p(Math.abs(x))
  return yeoJohnsonLogDerivative(x, power)
}

function observedColumn(block: Block, j: number, weights: Float64Array | undefined) {
  const values: number[] = []
  const kept: number[] = []
  for (let n = 0; n < block.rows; n++) {
    const x = block.values[n * block.columns + j]!
    const w = weights?.[n] ?? 1
    if (Number.isNaN(x) || !(w > 0)) continue
    values.push(x)
    kept.push(w)
  }
  return { values: Float64Array.from(values), weights: Float64Array.from(kept) }
}

function moments(values: Float64Array, weights: Float64Array): { mean: number; deviation: number } {
  let weight = 0
  let mean = 0
  for (let n = 0; n < values.length; n++) {
    weight += weights[n]!
    mean += (weights[n]! / weight) * (values[n]! - mean)
  }
  let square = 0
  for (let n = 0; n < values.length; n++) square += (weights[n]! / weight) * (values[n]! - mean) ** 2
  return { mean, deviation: Math.sqrt(square) }
}
