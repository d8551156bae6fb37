/**
 * Symmetric and lower-triangular matrices as packed rows: (0,0), (1,0), (1,1), (2,0) …
 * Entry (i, j), j ≤ i, is at i(i+1)/2 + j.
 */

/** Number of stored entries of a d × d symmetric matrix. */
export const packedLength = (d: number): number => (d * (d + 1)) / 2

/** Place of entry (i, j) in either order. */
export const packedIndex = (i: number, j: number): number => (i >= j ? (i * (i + 1)) / 2 + j : (j * (j + 1)) / 2 + i)

/** d × d row-major square of a packed symmetric matrix. */
export function unpackSymmetric(packed: Float64Array, d: number, offset = 0): Float64Array {
  const square = new Float64Array(d * d)
  let t = offset
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      square[i * d + j] = packed[t]!
      square[j * d + i] = packed[t++]!
    }
  }
  return square
}

/** Packed lower triangle of a d × d row-major square; the upper triangle is not read. */
export function packSymmetric(square: ArrayLike<number>, d: number): Float64Array {
  const packed = new Float64Array(packedLength(d))
  let t = 0
  for (let i = 0; i < d; i++) for (let j = 0; j <= i; j++) packed[t++] = square[i * d + j]!
  return packed
}
