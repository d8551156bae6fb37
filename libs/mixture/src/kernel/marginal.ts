import type { Block } from '../block.ts'
import type { Parameters, Statistics } from '../family.ts'
import type { GaussianLayout } from '../gaussian/layout.ts'
import { type MissingPattern, patternCache } from '../gaussian/missing.ts'
import { packedIndex, packedLength } from '../numerics/packed.ts'
import { gatherRows } from './rows.ts'

/** Fewer events than this with the same values missing are left to the reference, one by one. */
const LEAST_ROWS = 4

/** Events of a block in which the same values are missing: complete events of the marginal model. */
export interface MarginalGroup {
  readonly pattern: MissingPattern
  /** their rows in the block */
  readonly rows: Int32Array
  /** their observed columns */
  readonly block: Block
  /** of the marginal model: a gaussian family's over the observed columns, without weights */
  readonly parameters: Parameters
}

export interface MarginalGroups {
  readonly groups: readonly MarginalGroup[]
  /** rows that are in none */
  readonly rest: Int32Array
}

/** Sorts events with missing values by what is missing. */
export function marginalGrouper(layout: GaussianLayout) {
  const patterns = patternCache(layout)
  let marginals = new WeakMap<MissingPattern, Parameters>()
  let held: readonly (Float64Array | undefined)[] = []
  return (parameters: Parameters, block: Block, rows: Int32Array): MarginalGroups => {
    const known = patterns(parameters)
    const { means, reference, covariances, precisionsCholesky } = parameters
    const arrays = [means, reference, covariances, precisionsCholesky]
    if (arrays.some((array, i) => array !== held[i])) {
      held = arrays
      marginals = new WeakMap()
    }
    const byPattern = new Map<MissingPattern, number[]>()
    for (const n of rows) {
      const pattern = known.of(block.values, n * block.columns)
      const list = byPattern.get(pattern)
      if (list === undefined) byPattern.set(pattern, [n])
      else list.push(n)
    }
    const groups: MarginalGroup[] = []
    const rest: number[] = []
    for (const [pattern, list] of byPattern) {
      if (list.length < LEAST_ROWS || pattern.observed.length === 0) {
        rest.push(...list)
        continue
      }
      let marginal = marginals.get(pattern)
      if (marginal === undefined) {
        marginal = marginalParameters(layout, parameters, pattern)
        marginals.set(pattern, marginal)
      }
      const own = Int32Array.from(list)
      groups.push({ pattern, rows: own, block: gatherRows(block, own, pattern.observed), parameters: marginal })
    }
    return { groups, rest: Int32Array.from(rest) }
  }
}

function marginalParameters(layout: GaussianLayout, parameters: Parameters, pattern: MissingPattern): Parameters {
  const { components, columns: d, covariance } = layout
  const { observed } = pattern
  const o = observed.length
  const columnsOf = (from: Float64Array, rows: number) => {
    const out = new Float64Array(rows * o)
    for (let k = 0; k < rows; k++) for (let i = 0; i < o; i++) out[k * o + i] = from[k * d + observed[i]!]!
    return out
  }
  const means = columnsOf(parameters.means!, components)
  const reference = columnsOf(parameters.reference!, 1)
  const logDeterminants = new Float64Array(components)
  let precisionsCholesky: Float64Array
  if (layout.triangular) {
    const p = packedLength(o)
    const count = covariance === 'tied' ? 1 : components
    precisionsCholesky = new Float64Array(count * p)
    for (let k = 0; k < components; k++) {
      const marginal = pattern.marginal(k)
      if (k < count) precisionsCholesky.set(marginal.precisionCholesky, k * p)
      logDeterminants[k] = marginal.logDeterminant
    }
  } else {
    const all = parameters.precisionsCholesky!
    precisionsCholesky = covariance === 'diag' ? columnsOf(all, components) : all
    for (let k = 0; k < components; k++)
      for (let i = 0; i < o; i++)
        logDeterminants[k]! += Math.log(precisionsCholesky[covariance === 'diag' ? k * o + i : k]!)
  }
  return { means, reference, logDeterminants, precisionsCholesky }
}

/**
 * Adds the statistics of a group's complete observed columns to those of all columns. The conditional mean of what is missing is
 * linear in what is observed, x̂_M − c_M = a + B (x_O − c_O), so the sums over events follow from the observed ones:
 * Σ r x̂_M = a s0 + B s1, Σ r x̂_M x_Oᵀ = a s1ᵀ + B S, Σ r x̂_M x̂_Mᵀ = s0 a aᵀ + a (B s1)ᵀ + (B s1) aᵀ + B S Bᵀ; and s0 times the
 * conditional covariance (Little & Rubin 2002, §11.2.1).
 * @param marginal statistics of the observed columns, in the layout of a gaussian family over them
 * @param into written to
 */
export function addMarginalStatistics(
  layout: GaussianLayout,
  parameters: Parameters,
  pattern: MissingPattern,
  marginal: Statistics,
  into: Statistics,
): void {
  const { components, columns: d, covariance, first, second, packed } = layout
  const { observed, missing } = pattern
  const o = observed.length
  const reference = parameters.reference!
  const means = parameters.means!
  for (let k = 0; k < components; k++) {
    const weight = marginal[k]!
    const s1 = marginal.subarray(components + k * o, components + (k + 1) * o)
    into[k]! += weight
    for (let i = 0; i < o; i++) into[first + k * d + observed[i]!]! += s1[i]!
    if (layout.triangular) continue
    const squares = components * (1 + o) + k * o
    for (let i = 0; i < o; i++) into[second + k * d + observed[i]!]! += marginal[squares + i]!
    for (const j of missing) {
      const mean = means[k * d + j]! - reference[j]!
      const variance = parameters.covariances![covariance === 'diag' ? k * d + j : k]!
      into[first + k * d + j]! += weight * mean
      into[second + k * d + j]! += weight * (mean * mean + variance)
    }
  }
  if (!layout.triangular) return
  const tied = covariance === 'tied'
  const p = packedLength(o)
  const m = missing.length
  const offsets = new Float64Array(m)
  const sums = new Float64Array(m)
  const cross = new Float64Array(m * o)
  for (let k = 0; k < components; k++) {
    const weight = marginal[k]!
    const s1 = marginal.subarray(components + k * o, components + (k + 1) * o)
    // Tied covariances share one S over all components: it is taken with the first.
    const start = components * (1 + o) + (tied ? 0 : k * p)
    const withS2 = !tied || k === 0
    const place = second + (tied ? 0 : k * packed)
    const { regression, covariance: conditional } = pattern.conditional(k)
    for (let a = 0; a < m; a++) {
      const j = missing[a]!
      let offset = means[k * d + j]! - reference[j]!
      let sum = 0
      for (let i = 0; i < o; i++) {
        const slope = regression[a * o + i]!
        offset -= slope * (means[k * d + observed[i]!]! - reference[observed[i]!]!)
        sum += slope * s1[i]!
      }
      offsets[a] = offset
      sums[a] = sum
      into[first + k * d + j]! += offset * weight + sum
      for (let i = 0; i < o; i++) {
        let value = 0
        if (withS2) for (let l = 0; l < o; l++) value += regression[a * o + l]! * marginal[start + packedIndex(i, l)]!
        cross[a * o + i] = value
        into[place + packedIndex(j, observed[i]!)]! += offset * s1[i]! + value
      }
    }
    if (withS2)
      for (let i = 0, t = start; i < o; i++)
        for (let l = 0; l <= i; l++) into[place + packedIndex(observed[i]!, observed[l]!)]! += marginal[t++]!
    for (let a = 0, t = 0; a < m; a++)
      for (let b = 0; b <= a; b++) {
        let value =
          weight * (offsets[a]! * offsets[b]! + conditional[t++]!) + offsets[a]! * sums[b]! + sums[a]! * offsets[b]!
        for (let i = 0; i < o; i++) value += cross[a * o + i]! * regression[b * o + i]!
        into[place + packedIndex(missing[a]!, missing[b]!)]! += value
      }
  }
}
