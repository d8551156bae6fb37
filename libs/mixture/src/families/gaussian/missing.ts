import { cholesky, invertLower, logDeterminantLower } from '../../numerics/cholesky.ts'
import { packedIndex, packedLength } from '../../numerics/packed.ts'
import type { Parameters } from '../family.ts'
import type { GaussianLayout } from './layout.ts'

/** The marginal of the observed columns O of one component. */
export interface Marginal {
  /** packed lower L⁻¹ with Σ_OO = L Lᵀ, in the order of `observed` */
  readonly precisionCholesky: Float64Array
  /** log |L⁻¹|, nats */
  readonly logDeterminant: number
}

/** The missing columns M of one component given the observed ones: E[x_M | x_O] = μ_M + B (x_O − μ_O). */
export interface Conditional {
  /** B = Σ_MO Σ_OO⁻¹, shape (|M|, |O|) row-major */
  readonly regression: Float64Array
  /** Σ_MM − B Σ_OM, packed lower, in the order of `missing` */
  readonly covariance: Float64Array
}

/** One set of missing columns; what it needs of each component is worked out once, when first asked for. */
export interface MissingPattern {
  /** observed columns, ascending */
  readonly observed: Int32Array
  /** missing columns, ascending */
  readonly missing: Int32Array
  marginal(component: number): Marginal
  conditional(component: number): Conditional
}

/** The patterns met so far under one set of parameters. */
export interface MissingPatterns {
  /** The pattern of the row that starts at `offset` of `values`. */
  of(values: Float64Array, offset: number): MissingPattern
}

/** More patterns than this under one set of parameters are forgotten and worked out again: bounds the memory. */
const MOST_PATTERNS = 1024

/**
 * Patterns of a gaussian family with triangular covariance. Parameters are never changed in place, so the cache is
 * valid for as long as the same parameters are asked for.
 */
function missingPatterns(layout: GaussianLayout, parameters: Parameters): MissingPatterns {
  const { columns } = layout
  const known = new Map<string, MissingPattern>()
  let last: MissingPattern | undefined
  return {
    of(values, offset) {
      if (last !== undefined && matches(last, values, offset)) return last
      let key = ''
      for (let j = 0; j < columns; j++) key += Number.isNaN(values[offset + j]!) ? '0' : '1'
      let pattern = known.get(key)
      if (pattern === undefined) {
        if (known.size >= MOST_PATTERNS) known.clear()
        pattern = missingPattern(layout, parameters, key)
        known.set(key, pattern)
      }
      last = pattern
      return pattern
    },
  }
}

function matches(pattern: MissingPattern, values: Float64Array, offset: number): boolean {
  for (const j of pattern.observed) if (Number.isNaN(values[offset + j]!)) return false
  for (const j of pattern.missing) if (!Number.isNaN(values[offset + j]!)) return false
  return true
}

function missingPattern(layout: GaussianLayout, parameters: Parameters, key: string): MissingPattern {
  const columns = [...key].map((_, j) => j)
  const observed = Int32Array.from(columns.filter(j => key[j] === '1'))
  const missing = Int32Array.from(columns.filter(j => key[j] === '0'))
  const marginals: Marginal[] = []
  const conditionals: Conditional[] = []
  const shared = layout.covariance === 'tied'
  const covarianceOffset = (component: number) => (shared ? 0 : component * layout.packed)
  const marginal = (component: number): Marginal => {
    const k = shared ? 0 : component
    marginals[k] ??= marginalOf(parameters.covariances!, covarianceOffset(k), observed)
    return marginals[k]
  }
  const conditional = (component: number): Conditional => {
    const k = shared ? 0 : component
    conditionals[k] ??= conditionalOf(parameters.covariances!, covarianceOffset(k), observed, missing, marginal(k))
    return conditionals[k]
  }
  return { observed, missing, marginal, conditional }
}

function marginalOf(covariances: Float64Array, offset: number, observed: Int32Array): Marginal {
  const size = observed.length
  const part = new Float64Array(packedLength(size))
  for (let i = 0, t = 0; i < size; i++)
    for (let j = 0; j <= i; j++) part[t++] = covariances[offset + packedIndex(observed[i]!, observed[j]!)]!
  const lower = new Float64Array(part.length)
  // A principal part of a positive definite matrix is one too; only rounding can deny it, and a little jitter mends that.
  for (let jitter = 1e-14; !cholesky(part, 0, size, lower); jitter *= 10)
    for (let i = 0; i < size; i++) part[packedIndex(i, i)]! *= 1 + jitter
  const precisionCholesky = new Float64Array(part.length)
  invertLower(lower, size, precisionCholesky, 0)
  return { precisionCholesky, logDeterminant: logDeterminantLower(precisionCholesky, 0, size) }
}

function conditionalOf(
  covariances: Float64Array,
  offset: number,
  observed: Int32Array,
  missing: Int32Array,
  marginal: Marginal,
): Conditional {
  const o = observed.length
  const m = missing.length
  const root = marginal.precisionCholesky
  // W = Σ_MO L⁻ᵀ, so that B = W L⁻¹ and B Σ_OM = W Wᵀ.
  const whitened = new Float64Array(m * o)
  for (let a = 0; a < m; a++) {
    for (let i = 0, t = 0; i < o; i++) {
      let sum = 0
      for (let j = 0; j <= i; j++) sum += root[t++]! * covariances[offset + packedIndex(missing[a]!, observed[j]!)]!
      whitened[a * o + i] = sum
    }
  }
  const regression = new Float64Array(m * o)
  for (let a = 0; a < m; a++)
    for (let i = 0; i < o; i++)
      for (let j = 0; j <= i; j++) regression[a * o + j]! += whitened[a * o + i]! * root[packedIndex(i, j)]!
  const covariance = new Float64Array(packedLength(m))
  for (let a = 0, t = 0; a < m; a++) {
    for (let b = 0; b <= a; b++) {
      let sum = covariances[offset + packedIndex(missing[a]!, missing[b]!)]!
      for (let i = 0; i < o; i++) sum -= whitened[a * o + i]! * whitened[b * o + i]!
      covariance[t++] = a === b ? Math.max(sum, 0) : sum
    }
  }
  return { regression, covariance }
}

/** Patterns of the parameters asked for last: a batch is scored and observed under one set of them. */
export function patternCache(layout: GaussianLayout): (parameters: Parameters) => MissingPatterns {
  let covariances: Float64Array | undefined
  let patterns: MissingPatterns | undefined
  return parameters => {
    if (patterns === undefined || covariances !== parameters.covariances) {
      covariances = parameters.covariances
      patterns = missingPatterns(layout, parameters)
    }
    return patterns
  }
}
