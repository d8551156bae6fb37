import { describeType } from '@eddy/mixture'
import type { FeatureMatrix } from '@eddy/records'

/**
 * Events of a class and, of each discrete feature, pseudo-events that have nothing but its value: `smoothing` of every category
 * (Laplace 1774; the mode of a Dirichlet prior), of true and of false, and of the mean count of all classes. A value that was never seen
 * with a class is then unlikely there, by how few events the class has, instead of impossible.
 * @param everything the events of all classes
 * @param smoothing pseudo-events a value, ≥ 0
 */
export function smoothed(matrix: FeatureMatrix, everything: FeatureMatrix, smoothing: number): FeatureMatrix {
  if (smoothing === 0) return matrix
  const width = matrix.columns.length
  const means = matrix.columns.map((_, j) => meanOf(everything, j))
  const added = matrix.columns.flatMap(({ type, values }, j) => {
    if (type === 'category') return Array.from(values ?? [], (_, code) => [j, code] as const)
    if (type === 'boolean') return [[j, 0] as const, [j, 1] as const]
    const mean = describeType(type).counted ? means[j]! : Number.NaN
    return Number.isNaN(mean) ? [] : [[j, mean] as const]
  })
  const rows = matrix.rows + added.length
  const values = new Float64Array(rows * width).fill(Number.NaN)
  values.set(matrix.values)
  const weights = new Float64Array(rows).fill(smoothing)
  weights.set(matrix.weights)
  added.forEach(([j, value], i) => {
    values[(matrix.rows + i) * width + j] = value
    // A count is read under its exposure: the mean count under the mean one.
    for (const [given, { type }] of matrix.columns.entries())
      if (describeType(type).given) values[(matrix.rows + i) * width + given] = means[given]!
  })
  return { columns: matrix.columns, rows, values, weights }
}

/** Weighted mean of a column, NaN where nothing was observed. */
function meanOf({ columns, rows, values, weights }: FeatureMatrix, j: number): number {
  let [sum, weight] = [0, 0]
  for (let n = 0; n < rows; n++) {
    const value = values[n * columns.length + j]!
    if (Number.isNaN(value)) continue
    sum += weights[n]! * value
    weight += weights[n]!
  }
  return sum / weight
}
