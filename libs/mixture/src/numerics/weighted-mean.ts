/** Weighted mean and its standard error, from the spread of the values; without weights each is 1. */
export function weightedMean(
  values: Float64Array,
  weights: Float64Array | undefined,
): { readonly mean: number; readonly error: number } {
  let weight = 0
  let sum = 0
  for (let n = 0; n < values.length; n++) {
    const w = weights?.[n] ?? 1
    weight += w
    sum += w * values[n]!
  }
  const mean = sum / weight
  let squares = 0
  for (let n = 0; n < values.length; n++) squares += ((weights?.[n] ?? 1) * (values[n]! - mean)) ** 2
  return { mean, error: Math.sqrt(squares) / weight }
}
