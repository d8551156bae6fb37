import type { FeatureMatrix } from '@eddy/records'

/** A density that can be asked for log p(x) of rows. */
export interface Density {
  /** shape (rows): nats, user's units; missing features are left out */
  logDensity(values: Float64Array, rows: number): Float64Array
}

/**
 * Independent histograms, one a feature: the non-parametric baseline. A number falls into equal bins over the range of `range`, and beyond
 * it into two outer ones as wide as the range; a category or a boolean is a bin of its own. Each bin starts with half an event
 * (Jeffreys' prior), so that no event is impossible.
 * @param matrix what is learned
 * @param range every class's events, so that all share the bins
 * @param bins number of bins, e.g. `scottBins`
 */
export function histogramDensity(matrix: FeatureMatrix, range: FeatureMatrix, bins: number): Density {
  const d = matrix.columns.length
  const histograms = matrix.columns.map(({ type, values }, j) => {
    const discrete = type === 'category' || type === 'boolean'
    const [least, largest] = extent(range, j)
    const count = discrete ? Math.max(2, values?.length ?? 2) : bins + 2
    const width = discrete ? 1 : (largest - least) / bins || 1
    const binOf = (x: number): number =>
      discrete ? x : Math.min(count - 1, Math.max(0, 1 + Math.floor(x === largest ? bins - 1 : (x - least) / width)))
    const masses = new Float64Array(count).fill(0.5)
    let total = count / 2
    for (let n = 0; n < matrix.rows; n++) {
      const x = matrix.values[n * d + j]!
      if (Number.isNaN(x)) continue
      masses[binOf(x)]! += matrix.weights[n]!
      total += matrix.weights[n]!
    }
    const logs = masses.map((mass, bin) => {
      const outer = !discrete && (bin === 0 || bin === count - 1)
      return Math.log(mass / total / (outer ? width * bins : width))
    })
    return (x: number) => (Number.isNaN(x) ? 0 : logs[binOf(x)]!)
  })
  return {
    logDensity: (values, rows) =>
      Float64Array.from({ length: rows }, (_, n) =>
        histograms.reduce((sum, log, j) => sum + log(values[n * d + j]!), 0),
      ),
  }
}

/** Number of bins for n events: Scott's rule for a range of six standard deviations, at least 2. */
export const scottBins = (events: number): number => Math.max(2, Math.ceil((6 * events ** (1 / 3)) / 3.49))

function extent(matrix: FeatureMatrix, j: number): [number, number] {
  let least = Infinity
  let largest = -Infinity
  for (let i = j; i < matrix.rows * matrix.columns.length; i += matrix.columns.length) {
    const x = matrix.values[i]!
    if (x < least) least = x
    if (x > largest) largest = x
  }
  return least <= largest ? [least, largest] : [0, 1]
}
