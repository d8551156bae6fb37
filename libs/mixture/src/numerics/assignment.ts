/**
 * The assignment of rows to columns, each once, with the largest sum: the Hungarian method with potentials (Kuhn 1955; Jonker &
 * Volgenant 1987), O(n³). Deterministic; every value must be finite.
 * @param values shape (n, n), row-major
 * @returns shape (n): the column of each row
 */
export function assignment(values: Float64Array, n: number): Int32Array {
  const rowPotential = new Float64Array(n + 1)
  const columnPotential = new Float64Array(n + 1)
  /** row of each column, counted from 1; column 0 is the row that is being placed */
  const rowOf = new Int32Array(n + 1)
  const before = new Int32Array(n + 1)
  for (let row = 1; row <= n; row++) {
    rowOf[0] = row
    let column = 0
    const least = new Float64Array(n + 1).fill(Number.POSITIVE_INFINITY)
    const used = new Uint8Array(n + 1)
    do {
      used[column] = 1
      const r = rowOf[column]!
      let delta = Number.POSITIVE_INFINITY
      let next = 0
      for (let c = 1; c <= n; c++) {
        if (used[c] === 1) continue
        const cost = -values[(r - 1) * n + c - 1]! - rowPotential[r]! - columnPotential[c]!
        if (cost < least[c]!) {
          least[c] = cost
          before[c] = column
        }
        if (least[c]! < delta) {
          delta = least[c]!
          next = c
        }
      }
      for (let c = 0; c <= n; c++) {
        if (used[c] === 1) {
          rowPotential[rowOf[c]!]! += delta
          columnPotential[c]! -= delta
        } else least[c]! -= delta
      }
      column = next
    } while (rowOf[column] !== 0)
    while (column !== 0) {
      rowOf[column] = rowOf[before[column]!]!
      column = before[column]!
    }
  }
  const columnOf = new Int32Array(n)
  for (let c = 1; c <= n; c++) columnOf[rowOf[c]! - 1] = c - 1
  return columnOf
}
