import { cholesky } from '../numerics/cholesky.ts'
import { packedIndex, packedLength } from '../numerics/packed.ts'
import { symmetricEigen } from '../numerics/symmetric-eigen.ts'

/** Of what rounding to a few digits leaves of a symmetric matrix. */
const asymmetry = 1e-6

/**
 * Whether a matrix can be a covariance: symmetric and positive definite, in whatever units.
 * @param name as the error names it
 * @param rows shape (d, d), finite
 * @throws Error with the entries that differ, or the variance of the direction in which there is none
 */
export function checkCovariance(name: string, rows: readonly (readonly number[])[]): void {
  const d = rows.length
  for (const [i, row] of rows.entries()) checkVariance(`${name}[${i}][${i}]`, row[i]!)
  const unit = rows.map((row, i) => row.map((v, j) => v / Math.sqrt(rows[i]![i]! * rows[j]![j]!)))
  const packed = new Float64Array(packedLength(d))
  for (let i = 0; i < d; i++)
    for (let j = 0; j <= i; j++) {
      if (Math.abs(unit[i]![j]! - unit[j]![i]!) > asymmetry)
        throw new Error(
          `${name}: expected a symmetric matrix, got ${rows[i]![j]} at [${i}][${j}] and ${rows[j]![i]} at [${j}][${i}]; write the same number at both`,
        )
      packed[packedIndex(i, j)] = unit[i]![j]!
    }
  if (cholesky(packed, 0, d, new Float64Array(packed.length))) return
  const least = symmetricEigen(Float64Array.from(rows.flat()), d).values[0]!
  throw new Error(
    `${name}: expected a positive definite matrix, got one with an eigenvalue of ${least.toPrecision(3)}; shrink its covariances, or raise its variances on the diagonal`,
  )
}

/** @throws Error where a number can be no variance */
export function checkVariance(name: string, value: number): void {
  if (!(value > 0)) throw new Error(`${name}: expected a variance above 0, got ${value}`)
}
