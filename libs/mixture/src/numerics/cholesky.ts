/** A pivot at or below this share of its diagonal entry is rounding noise: the matrix counts as singular. */
const PIVOT_TOLERANCE = 4 * Number.EPSILON

/**
 * Cholesky factor L of a symmetric positive definite matrix A = L Lᵀ (Golub & Van Loan, alg. 4.2.1), packed rows.
 * @param a packed lower triangle of A at `offset`
 * @param lower written to: packed L, from 0; may not be `a` at another offset
 * @returns false if A is not positive definite to working precision (then `lower` holds nothing of use)
 */
export function cholesky(a: Float64Array, offset: number, d: number, lower: Float64Array): boolean {
  let rowI = 0
  for (let i = 0; i < d; i++) {
    let rowJ = 0
    for (let j = 0; j < i; j++) {
      let sum = a[offset + rowI + j]!
      for (let m = 0; m < j; m++) sum -= lower[rowI + m]! * lower[rowJ + m]!
      lower[rowI + j] = sum / lower[rowJ + j]!
      rowJ += j + 1
    }
    const diagonal = a[offset + rowI + i]!
    let pivot = diagonal
    for (let m = 0; m < i; m++) pivot -= lower[rowI + m]! * lower[rowI + m]!
    if (!(pivot > diagonal * PIVOT_TOLERANCE && pivot < Infinity)) return false
    lower[rowI + i] = Math.sqrt(pivot)
    rowI += i + 1
  }
  return true
}

/**
 * Inverse of a lower-triangular matrix, packed rows.
 * @param out written to at `offset`: packed L⁻¹
 */
export function invertLower(lower: Float64Array, d: number, out: Float64Array, offset: number): void {
  for (let j = 0; j < d; j++) {
    out[offset + (j * (j + 1)) / 2 + j] = 1 / lower[(j * (j + 1)) / 2 + j]!
    for (let i = j + 1; i < d; i++) {
      const row = (i * (i + 1)) / 2
      let sum = 0
      for (let m = j; m < i; m++) sum += lower[row + m]! * out[offset + (m * (m + 1)) / 2 + j]!
      out[offset + row + j] = -sum / lower[row + i]!
    }
  }
}

/** Σ log of the diagonal of a packed lower-triangular matrix: log |L|, nats. */
export function logDeterminantLower(lower: Float64Array, offset: number, d: number): number {
  let sum = 0
  for (let i = 0, t = offset; i < d; i++) {
    t += i
    sum += Math.log(lower[t]!)
    t++
  }
  return sum
}
