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
