/** A density that can be asked for log p(x) of rows. */
export interface Density {
  /** shape (rows): nats, user's units; missing features are left out. @param values shape (rows, d) */
  logDensity(values: Float64Array, rows: number): Float64Array
}
