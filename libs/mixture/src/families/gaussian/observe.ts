import { packedIndex } from '../../numerics/packed.ts'
import type { Block } from '../block.ts'
import type { Parameters, Statistics } from '../family.ts'
import type { GaussianLayout } from './layout.ts'
import type { MissingPatterns } from './missing.ts'

/** Deviations are held within ±this, so that their squares can be summed in a double without overflow. */
const LARGEST_DEVIATION = 1e150

/**
 * Writes x_n − c of one row.
 * @param out written to, shape (≥ d): NaN where missing
 * @returns whether a value is missing
 */
export function deviations(block: Block, n: number, reference: Float64Array, out: Float64Array): boolean {
  const d = block.columns
  const row = n * d
  let missing = false
  for (let j = 0; j < d; j++) {
    const deviation = block.values[row + j]! - reference[j]!
    out[j] = deviation
    if (!(deviation <= LARGEST_DEVIATION && deviation >= -LARGEST_DEVIATION)) {
      if (Number.isNaN(deviation)) missing = true
      else out[j] = deviation > 0 ? LARGEST_DEVIATION : -LARGEST_DEVIATION
    }
  }
  return missing
}

/**
 * Adds r_k z, r_k z zᵀ (or its diagonal) and r_k of one complete row to the statistics of every component.
 * @param z x − c, shape (d), complete
 * @param triangle scratch, shape (≥ p), overwritten with z zᵀ where the covariance is triangular
 */
export function addComplete(
  layout: GaussianLayout,
  into: Statistics,
  z: Float64Array,
  responsibilities: Float64Array,
  offset: number,
  triangle: Float64Array,
): void {
  const { components, columns: d, covariance, packed, first, second } = layout
  if (layout.triangular) for (let i = 0, t = 0; i < d; i++) for (let j = 0; j <= i; j++) triangle[t++] = z[i]! * z[j]!
  let total = 0
  for (let k = 0; k < components; k++) {
    const r = responsibilities[offset + k]!
    if (r === 0) continue
    into[k]! += r
    total += r
    const mean = first + k * d
    for (let j = 0; j < d; j++) into[mean + j]! += r * z[j]!
    if (covariance === 'tied') continue
    if (layout.triangular) {
      const start = second + k * packed
      for (let t = 0; t < packed; t++) into[start + t]! += r * triangle[t]!
    } else {
      const start = second + k * d
      for (let j = 0; j < d; j++) into[start + j]! += r * z[j]! * z[j]!
    }
  }
  if (covariance === 'tied') for (let t = 0; t < packed; t++) into[second + t]! += total * triangle[t]!
}

/**
 * Adds one row with missing values: E[x | x_O, k] in place of x, and the conditional covariance of what is missing
 * (Little & Rubin 2002, §11.2.1; for mixtures Ghahramani & Jordan 1994). Without the latter variances would shrink.
 * @param z x − c, NaN where missing
 * @param spread weights of the conditional covariance, laid out like `responsibilities` and usually the same array
 * @param filled scratch, shape (≥ d)
 */
export function addMissing(
  layout: GaussianLayout,
  into: Statistics,
  block: Block,
  n: number,
  z: Float64Array,
  responsibilities: Float64Array,
  spread: Float64Array,
  offset: number,
  parameters: Parameters,
  patterns: MissingPatterns,
  filled: Float64Array,
): void {
  const { components, columns: d, covariance, packed, first, second } = layout
  const means = parameters.means!
  const reference = parameters.reference!
  if (!layout.triangular) {
    const covariances = parameters.covariances!
    for (let k = 0; k < components; k++) {
      const r = responsibilities[offset + k]!
      if (r === 0) continue
      into[k]! += r
      for (let j = 0; j < d; j++) {
        const known = z[j]!
        const isMissing = Number.isNaN(known)
        const value = isMissing ? means[k * d + j]! - reference[j]! : known
        const variance = isMissing ? covariances[covariance === 'diag' ? k * d + j : k]! : 0
        into[first + k * d + j]! += r * value
        into[second + k * d + j]! += r * value * value + spread[offset + k]! * variance
      }
    }
    return
  }
  const pattern = patterns.of(block.values, n * d)
  const { observed, missing } = pattern
  for (let k = 0; k < components; k++) {
    const r = responsibilities[offset + k]!
    if (r === 0) continue
    const { regression, covariance: conditional } = pattern.conditional(k)
    for (let i = 0; i < observed.length; i++) filled[observed[i]!] = z[observed[i]!]!
    for (let a = 0; a < missing.length; a++) {
      const j = missing[a]!
      let value = means[k * d + j]! - reference[j]!
      for (let i = 0; i < observed.length; i++) {
        const o = observed[i]!
        value += regression[a * observed.length + i]! * (z[o]! - (means[k * d + o]! - reference[o]!))
      }
      filled[j] = value
    }
    into[k]! += r
    for (let j = 0; j < d; j++) into[first + k * d + j]! += r * filled[j]!
    const start = second + (covariance === 'tied' ? 0 : k * packed)
    for (let i = 0, t = start; i < d; i++) for (let j = 0; j <= i; j++) into[t++]! += r * filled[i]! * filled[j]!
    for (let a = 0, t = 0; a < missing.length; a++)
      for (let b = 0; b <= a; b++)
        into[start + packedIndex(missing[a]!, missing[b]!)]! += spread[offset + k]! * conditional[t++]!
  }
}
