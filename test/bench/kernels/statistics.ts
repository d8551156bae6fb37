/** Middle value; the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

/** Interquartile range as a share of the median. */
export function spread(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.round(q * (sorted.length - 1)))]!
  return (at(0.75) - at(0.25)) / median(values)
}

/** Largest less smallest as a share of the median: the spread of a few values. */
export function range(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values)
}

/** Adjusted Rand index of two labellings (Hubert & Arabie 1985): 1 for equal partitions, 0 expected by chance. */
export function adjustedRandIndex(a: Int32Array, b: Int32Array): number {
  const width = 1 + b.reduce((most, label) => Math.max(most, label), 0)
  const height = 1 + a.reduce((most, label) => Math.max(most, label), 0)
  const table = new Float64Array(width * height)
  for (let n = 0; n < a.length; n++) table[a[n]! * width + b[n]!]!++
  const pairs = (counts: ArrayLike<number>) =>
    Array.from(counts).reduce((sum, count) => sum + (count * (count - 1)) / 2, 0)
  const rows = new Float64Array(height)
  const columns = new Float64Array(width)
  table.forEach((count, i) => {
    rows[Math.floor(i / width)]! += count
    columns[i % width]! += count
  })
  const expected = (pairs(rows) * pairs(columns)) / pairs([a.length])
  return (pairs(table) - expected) / ((pairs(rows) + pairs(columns)) / 2 - expected)
}
