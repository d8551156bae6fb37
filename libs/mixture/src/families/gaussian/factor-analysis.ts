import { cholesky, invertLower } from '../../numerics/cholesky.ts'
import { packedIndex, packedLength, unpackSymmetric } from '../../numerics/packed.ts'
import { symmetricEigen } from '../../numerics/symmetric-eigen.ts'
import { regulariseVariance } from './regularise.ts'

/** EM steps for Λ and Ψ inside one M-step: the statistics are at hand, so several cost little. */
const INNER_STEPS = 4

/**
 * Improves Σ ≈ ΛΛᵀ + Ψ for a sample covariance S by EM for factor analysis (Rubin & Thayer 1982; Ghahramani & Hinton
 * 1996, eq. 5–7). The likelihood under S never falls.
 * @param sample packed lower triangle of S
 * @param loadings Λ, shape (d, q) row-major, improved in place; all zeros asks for a start from principal components
 * @param noise Ψ's diagonal, shape (d), improved in place, kept ≥ floor · overall
 */
export function improveFactors(
  sample: Float64Array,
  loadings: Float64Array,
  noise: Float64Array,
  overall: Float64Array,
  floor: number,
): void {
  const d = noise.length
  const q = loadings.length / d
  const square = unpackSymmetric(sample, d)
  if (loadings.every(value => value === 0)) startFromPrincipalComponents(square, loadings, noise, overall, floor)
  for (let step = 0; step < INNER_STEPS; step++) emStep(square, loadings, noise, overall, floor, d, q)
}

function emStep(
  sample: Float64Array,
  loadings: Float64Array,
  noise: Float64Array,
  overall: Float64Array,
  floor: number,
  d: number,
  q: number,
): void {
  // β = M⁻¹ Λᵀ Ψ⁻¹ with M = I + Λᵀ Ψ⁻¹ Λ: the regression of the factors on x; their posterior covariance is M⁻¹.
  const m = new Float64Array(packedLength(q))
  for (let a = 0; a < q; a++) {
    for (let b = 0; b <= a; b++) {
      let sum = a === b ? 1 : 0
      for (let i = 0; i < d; i++) sum += (loadings[i * q + a]! * loadings[i * q + b]!) / noise[i]!
      m[packedIndex(a, b)] = sum
    }
  }
  const mInverse = invertPacked(m, q)
  if (mInverse === undefined) return
  const beta = new Float64Array(q * d)
  for (let a = 0; a < q; a++)
    for (let i = 0; i < d; i++) {
      let sum = 0
      for (let b = 0; b < q; b++) sum += mInverse[packedIndex(a, b)]! * loadings[i * q + b]!
      beta[a * d + i] = sum / noise[i]!
    }
  const cross = new Float64Array(d * q) // S βᵀ = E[x fᵀ]
  for (let i = 0; i < d; i++)
    for (let a = 0; a < q; a++) {
      let sum = 0
      for (let j = 0; j < d; j++) sum += sample[i * d + j]! * beta[a * d + j]!
      cross[i * q + a] = sum
    }
  const second = new Float64Array(packedLength(q)) // E[f fᵀ] = M⁻¹ + β S βᵀ
  for (let a = 0; a < q; a++)
    for (let b = 0; b <= a; b++) {
      let sum = mInverse[packedIndex(a, b)]!
      for (let i = 0; i < d; i++) sum += beta[a * d + i]! * cross[i * q + b]!
      second[packedIndex(a, b)] = sum
    }
  const secondInverse = invertPacked(second, q)
  if (secondInverse === undefined) return
  for (let i = 0; i < d; i++) {
    let explained = 0
    for (let a = 0; a < q; a++) {
      let sum = 0
      for (let b = 0; b < q; b++) sum += cross[i * q + b]! * secondInverse[packedIndex(a, b)]!
      loadings[i * q + a] = sum
      explained += sum * cross[i * q + a]!
    }
    noise[i] = regulariseVariance(sample[i * d + i]! - explained, overall[i]!, floor)
  }
}

/** Probabilistic principal components of the correlation matrix (Tipping & Bishop 1999, eq. 7–8), in S's units. */
function startFromPrincipalComponents(
  sample: Float64Array,
  loadings: Float64Array,
  noise: Float64Array,
  overall: Float64Array,
  floor: number,
): void {
  const d = noise.length
  const q = loadings.length / d
  const sd = Float64Array.from(overall, (v, i) => Math.sqrt(regulariseVariance(sample[i * d + i]!, v, floor)))
  const correlation = new Float64Array(d * d)
  for (let i = 0; i < d; i++)
    for (let j = 0; j < d; j++) correlation[i * d + j] = sample[i * d + j]! / (sd[i]! * sd[j]!)
  const { values, vectors } = symmetricEigen(correlation, d)
  let rest = 0
  for (let m = 0; m < d - q; m++) rest += Math.max(values[m]!, 0) / (d - q)
  for (let a = 0; a < q; a++) {
    const column = d - 1 - a
    const size = Math.sqrt(Math.max(values[column]! - rest, 1e-3))
    for (let i = 0; i < d; i++) loadings[i * q + a] = sd[i]! * size * vectors[i * d + column]!
  }
  for (let i = 0; i < d; i++) {
    let explained = 0
    for (let a = 0; a < q; a++) explained += loadings[i * q + a]! ** 2
    // A share of the variance is left to the noise: EM moves only slowly away from Ψ near zero.
    noise[i] = regulariseVariance(Math.max(sample[i * d + i]! - explained, 0.05 * sd[i]! ** 2), overall[i]!, floor)
  }
}

/** Inverse of a packed symmetric positive definite matrix, or undefined if it is not one. */
function invertPacked(a: Float64Array, size: number): Float64Array | undefined {
  const lower = new Float64Array(a.length)
  if (!cholesky(a, 0, size, lower)) return undefined
  const root = new Float64Array(a.length)
  invertLower(lower, size, root, 0)
  const inverse = new Float64Array(a.length)
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0
      for (let m = i; m < size; m++) sum += root[packedIndex(m, i)]! * root[packedIndex(m, j)]!
      inverse[packedIndex(i, j)] = sum
    }
  return inverse
}

/** ΛΛᵀ + Ψ as a packed lower triangle. @param out written to, length p */
export function factorCovariance(loadings: Float64Array, noise: Float64Array, out: Float64Array): void {
  const d = noise.length
  const q = loadings.length / d
  for (let i = 0, t = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = i === j ? noise[i]! : 0
      for (let a = 0; a < q; a++) sum += loadings[i * q + a]! * loadings[j * q + a]!
      out[t++] = sum
    }
  }
}
