/** Rows of numbers. */
export type Matrix = number[][]

export const transpose = (a: Matrix): Matrix => a[0]!.map((_, j) => a.map(row => row[j]!))

export function multiply(a: Matrix, b: Matrix): Matrix {
  const columns = transpose(b)
  return a.map(row => columns.map(column => row.reduce((sum, value, i) => sum + value * column[i]!, 0)))
}

/** Gauss–Jordan elimination with row exchange: for the small, well-conditioned matrices of the lecture. */
export function invert(a: Matrix): Matrix {
  const n = a.length
  const rows = a.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))])
  for (let i = 0; i < n; i++) {
    let pivot = i
    for (let r = i + 1; r < n; r++) if (Math.abs(rows[r]![i]!) > Math.abs(rows[pivot]![i]!)) pivot = r
    ;[rows[i], rows[pivot]] = [rows[pivot]!, rows[i]!]
    const scale = rows[i]![i]!
    rows[i] = rows[i]!.map(value => value / scale)
    for (let r = 0; r < n; r++) {
      if (r === i) continue
      const factor = rows[r]![i]!
      rows[r] = rows[r]!.map((value, c) => value - factor * rows[i]![c]!)
    }
  }
  return rows.map(row => row.slice(n))
}

/** X that minimises |A X − B|², by the normal equations. */
export function leastSquares(a: Matrix, b: Matrix): Matrix {
  const at = transpose(a)
  return multiply(invert(multiply(at, a)), multiply(at, b))
}
