import { packedLength } from '../../numerics/packed.ts'

/**
 * Form of a component's covariance (scikit-learn's names, plus `factor`: ΛΛᵀ + Ψ with Λ of low rank and Ψ diagonal,
 * a mixture of factor analysers, Ghahramani & Hinton 1996).
 */
export type Covariance = 'full' | 'tied' | 'diag' | 'spherical' | 'factor'

export interface GaussianOptions {
  /** K */
  readonly components: number
  /** d */
  readonly columns: number
  readonly covariance: Covariance
  /** q, rank of Λ: 1 ≤ q ≤ d; only for `factor`, default 1 */
  readonly factors?: number
}

/**
 * Where things are in a gaussian family's flat statistics, moments about the reference point c:
 * `[ s0 (K) | s1 (K·d) Σ r (x−c) | S2 ]`. S2 is
 * - full, factor: K packed lower triangles of Σ r (x−c)(x−c)ᵀ, p = d(d+1)/2 numbers each;
 * - tied: one packed triangle of Σ_n Σ_k r_nk (x−c)(x−c)ᵀ (independent of r where nothing is missing);
 * - diag, spherical: K·d sums of squares.
 */
export interface GaussianLayout {
  readonly components: number
  readonly columns: number
  readonly covariance: Covariance
  readonly factors: number
  /** S2 is one or more packed triangles, not sums of squares */
  readonly triangular: boolean
  /** p: d(d+1)/2 */
  readonly packed: number
  /** offset of s1 */
  readonly first: number
  /** offset of S2 */
  readonly second: number
  /** length of the statistics */
  readonly length: number
}

export function gaussianLayout(options: GaussianOptions): GaussianLayout {
  const { components, columns, covariance, factors = 1 } = options
  const packed = packedLength(columns)
  const second = components + components * columns
  const triangular = covariance === 'full' || covariance === 'tied' || covariance === 'factor'
  const secondLength =
    covariance === 'tied'
      ? packed
      : covariance === 'full' || covariance === 'factor'
        ? components * packed
        : components * columns
  return {
    components,
    columns,
    covariance,
    factors,
    triangular,
    packed,
    first: components,
    second,
    length: second + secondLength,
  }
}

/** @throws if a size is not a positive whole number */
export function checkedOptions(options: GaussianOptions): GaussianOptions {
  const { components, columns, covariance, factors = 1 } = options
  const positive = (name: string, value: number) => {
    if (!(Number.isInteger(value) && value > 0)) throw new Error(`${name}: expected a whole number ≥ 1, got ${value}`)
  }
  positive('components', components)
  positive('columns', columns)
  positive('factors', factors)
  if (covariance === 'factor' && factors > columns)
    throw new Error(`factors: expected at most the number of columns (${columns}), got ${factors}`)
  return options
}
