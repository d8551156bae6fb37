/**
 * A block of events: `rows` × `columns` feature values, row-major, one event a row.
 * NaN marks a missing value; every other value is finite (callers quarantine ±Infinity before it gets here).
 */
export interface Block {
  readonly rows: number
  readonly columns: number
  /** shape (rows, columns), row-major */
  readonly values: Float64Array
}

/** Rows [from, to) of a block, as a view. */
export function rowsOf(block: Block, from: number, to: number): Block {
  const { columns } = block
  return { rows: to - from, columns, values: block.values.subarray(from * columns, to * columns) }
}
