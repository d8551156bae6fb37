/** The distinct values of a sample, ascending, and the weight of each. */
export interface ValueCounts {
  /** ascending, none NaN */
  readonly values: Float64Array
  readonly weights: Float64Array
  /** Σ weights */
  readonly weight: number
  /** events with an observed value and a weight > 0 */
  readonly events: number
}

/** Counts the observed values of one column. @param weights shape (n), 1 each if absent */
export function countValues(column: Float64Array, weights?: Float64Array): ValueCounts {
  const order = Array.from(column.keys()).filter(n => !Number.isNaN(column[n]!) && (weights?.[n] ?? 1) > 0)
  order.sort((a, b) => column[a]! - column[b]!)
  const values: number[] = []
  const sums: number[] = []
  let weight = 0
  for (const n of order) {
    const w = weights?.[n] ?? 1
    weight += w
    if (values.length > 0 && values.at(-1) === column[n]!) sums[sums.length - 1]! += w
    else {
      values.push(column[n]!)
      sums.push(w)
    }
  }
  return { values: Float64Array.from(values), weights: Float64Array.from(sums), weight, events: order.length }
}

/** The counts without one value. @param events how many events have it */
export function withoutValue(counts: ValueCounts, value: number): ValueCounts {
  const at = counts.values.indexOf(value)
  if (at < 0) return counts
  const keep = (_: number, i: number) => i !== at
  const weights = counts.weights.filter(keep)
  const weight = weights.reduce((a, b) => a + b, 0)
  const events = Math.round((counts.events * weight) / counts.weight)
  return { values: counts.values.filter(keep), weights, weight, events }
}
