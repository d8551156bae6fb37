import type { Block } from '../families/block.ts'
import type { Parameters } from '../families/family.ts'
import { type Bend, bendOf, cellWidth } from '../treatment/bend.ts'
import { type Treatment, treatmentOf } from '../treatment/treatment.ts'
import { estimateYeoJohnson } from '../treatment/yeo-johnson.ts'
import { modelColumns } from './model-columns.ts'
import type { FeatureSpecification, ModelSpecification } from './specification.ts'

/**
 * The frozen transform of a model's features: z = (f(x) − centre) / scale with f the bend of the feature's treatment.
 * Arrays, all of shape (d), kept among the model's parameters: `transformCentre`, `transformScale`, `transformPower`
 * (Yeo–Johnson's λ; 1 elsewhere). Features that are not numbers pass through unchanged.
 */
export type TransformParameters = Readonly<
  Record<'transformCentre' | 'transformScale' | 'transformPower', Float64Array>
>

/** The transform among a model's parameters. */
export const transformOf = ({ transformCentre, transformScale, transformPower }: Parameters): TransformParameters =>
  ({ transformCentre, transformScale, transformPower }) as TransformParameters

/** Model space is cut off here, so that squares can be summed. */
const LARGEST_VALUE = 1e150

/** Events in model space, with what their density owes to the change of units. */
export interface TransformedBlock {
  /** shape (rows, columns of `modelColumns`): the features, the spikes of those with an atom, the cell variances of those with a resolution */
  readonly block: Block
  /**
   * shape (rows): Σ_j log |dz_j/dx_j| over observed features (of cells, the mean slope over the cell), nats: log p(x) = log p(z) + this. At
   * an atom a feature has a probability, not a density, and adds nothing.
   */
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
    const treatment = treatmentOf(feature)
    const sample = observedColumn(block, j, weights, treatment.atom)
    if (treatment.transform === 'yeo-johnson') transformPower[j] = estimateYeoJohnson(sample.values, sample.weights)
    if (!specification.standardise) return
    const { bend } = bendOf(treatment, transformPower[j]!)
    const { mean, deviation } = moments(sample.values.map(bend), sample.weights)
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
  const { count, spikes, cells } = modelColumns(specification)
  const values = into?.values ?? new Float64Array(rows * count)
  const logJacobian = into?.logJacobian ?? new Float64Array(rows)
  const plain = Uint8Array.from(specification.features, isPlain)
  standardise(block, parameters, plain, values, count, logJacobian)
  for (let j = 0; j < d; j++) {
    if (plain[j] === 1) continue
    const feature = specification.features[j]!
    if (feature.type !== 'number') {
      for (let n = 0; n < rows; n++) values[n * count + j] = block.values[n * d + j]!
      continue
    }
    const places = { number: j, spike: d + spikes.indexOf(j), cell: d + spikes.length + cells.indexOf(j), count }
    applyTreatment(treatmentOf(feature), columnOf(feature, parameters, j), block, places, values, logJacobian)
  }
  return {
    block: { rows, columns: count, values: values.length === rows * count ? values : values.subarray(0, rows * count) },
    logJacobian,
  }
}

/** A number that is only centred and scaled. */
function isPlain(feature: FeatureSpecification): number {
  if (feature.type !== 'number') return 0
  const { transform, atom, resolution } = treatmentOf(feature)
  return transform === 'none' && atom === undefined && resolution === undefined ? 1 : 0
}

/** Columns of model space that one feature is told by; `spike` and `cell` only count where it has an atom, a resolution. */
interface Places {
  readonly number: number
  readonly spike: number
  readonly cell: number
  /** columns of a row */
  readonly count: number
}

/** Writes one number's columns. @param values written to @param logJacobian added to */
function applyTreatment(
  { atom, resolution }: Treatment,
  { form, centre, scale }: Column,
  block: Block,
  places: Places,
  values: Float64Array,
  logJacobian: Float64Array,
): void {
  const { rows, columns: d } = block
  const { number, spike, cell, count } = places
  const logScale = Math.log(scale)
  for (let n = 0; n < rows; n++) {
    const x = block.values[n * d + number]!
    const row = n * count
    const atAtom = x === atom
    const told = !(atAtom || Number.isNaN(x))
    if (atom !== undefined) values[row + spike] = Number.isNaN(x) ? x : atAtom ? 1 : 0
    if (resolution !== undefined) values[row + cell] = Number.NaN
    if (!told) {
      values[row + number] = Number.NaN
      continue
    }
    const z = (form.bend(x) - centre) / scale
    values[row + number] = Math.min(Math.max(z, -LARGEST_VALUE), LARGEST_VALUE)
    if (resolution === undefined) logJacobian[n]! += form.logDerivative(x) - logScale
    else {
      const width = cellWidth(form, x, resolution)
      values[row + cell] = (width / scale) ** 2 / 12
      logJacobian[n]! += Math.log(width / resolution) - logScale
    }
  }
}

/** Values of a tile: half the first-level cache. */
const TILE = 2048

/** Columns that are only centred and scaled, one after another, in tiles of rows that stay in the cache. @param count columns of a row of `values` @param logJacobian written to: their part */
function standardise(
  { rows, columns: d, values: from }: Block,
  parameters: Parameters,
  plain: Uint8Array,
  values: Float64Array,
  count: number,
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
      for (let n = first, at = first * d + j, to = first * count + j; n < end; n++, at += d, to += count) {
        const z = (from[at]! - centre) / scale
        if (z <= LARGEST_VALUE && z >= -LARGEST_VALUE) values[to] = z
        else if (Number.isNaN(z)) {
          // A missing value leaves its density alone.
          values[to] = z
          logJacobian[n]! += logScale[j]!
        } else values[to] = z > 0 ? LARGEST_VALUE : -LARGEST_VALUE
      }
    }
  }
}

/**
 * Events from model space back in the user's units. Means of bent features become the medians of their distribution.
 * @param block shape (rows, at least d), of which the features' own columns are read
 */
export function invertTransform(specification: ModelSpecification, parameters: Parameters, block: Block): Block {
  const { rows, columns } = block
  const d = specification.features.length
  const values = new Float64Array(rows * d)
  for (let j = 0; j < d; j++) {
    const feature = specification.features[j]!
    const { form, centre, scale } = columnOf(feature, parameters, j)
    for (let n = 0; n < rows; n++) {
      const z = block.values[n * columns + j]!
      values[n * d + j] = feature.type === 'number' ? form.unbend(z * scale + centre) : z
    }
  }
  return { rows, columns: d, values }
}

interface Column {
  readonly form: Bend
  readonly centre: number
  readonly scale: number
}

function columnOf(feature: FeatureSpecification, parameters: Parameters, j: number): Column {
  const treatment = feature.type === 'number' ? treatmentOf(feature) : { transform: 'none' as const }
  return {
    form: bendOf(treatment, parameters.transformPower![j]!),
    centre: parameters.transformCentre![j]!,
    scale: parameters.transformScale![j]!,
  }
}

function observedColumn(block: Block, j: number, weights: Float64Array | undefined, atom: number | undefined) {
  const values: number[] = []
  const kept: number[] = []
  for (let n = 0; n < block.rows; n++) {
    const x = block.values[n * block.columns + j]!
    const w = weights?.[n] ?? 1
    if (Number.isNaN(x) || x === atom || !(w > 0)) continue
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
