import { ModelError } from '@eddy/model'
import type { FeatureMatrix } from '@eddy/records'

/**
 * The rows of each class, and its share of the weight. The label is the last column; rows without one are left out.
 * @throws ModelError for fewer than two classes
 */
export function byClass(matrix: FeatureMatrix): { name: string; share: number; matrix: FeatureMatrix }[] {
  const width = matrix.columns.length
  const label = matrix.columns[width - 1]!
  const names = label.values ?? []
  if (names.length < 2) {
    throw new ModelError(
      `${label.name}: expected at least two classes, got ${names.length === 0 ? 'none' : names.join(', ')}. Name another column with --label.`,
    )
  }
  const rows = names.map((): number[] => [])
  let weight = 0
  for (let n = 0; n < matrix.rows; n++) {
    const code = matrix.values[n * width + width - 1]!
    if (Number.isNaN(code)) continue
    rows[code]!.push(n)
    weight += matrix.weights[n]!
  }
  const columns = matrix.columns.slice(0, -1)
  return names.map((name, c) => {
    const weights = Float64Array.from(rows[c]!, n => matrix.weights[n]!)
    const values = new Float64Array(rows[c]!.length * columns.length)
    rows[c]!.forEach((n, i) => {
      values.set(matrix.values.subarray(n * width, (n + 1) * width - 1), i * columns.length)
    })
    const share = weights.reduce((a, b) => a + b, 0) / weight
    return { name, share, matrix: { columns, rows: weights.length, values, weights } }
  })
}
