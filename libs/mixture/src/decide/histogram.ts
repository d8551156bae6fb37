import type { Block } from '../families/block.ts'
import type { Density } from './density.ts'

/**
 * Independent histograms, one a feature: the non-parametric baseline. A number falls into equal bins over the range of `range`, and beyond
 * it into two outer ones as wide as the range; a category or a boolean is a bin of its own. Each bin starts with half an event
 * (Jeffreys' prior), so that no event is impossible.
 * @param block what is learned, shape (rows, d)
 * @param weights shape (rows)
 * @param range the events whose extent the bins share: those of every class
 * @param bins of a number, e.g. `scottBins`
 * @param categories shape (d): how many values a column has, where these are bins of their own; undefined for a number
 */
export function histogramDensity(
  block: Block,
  weights: Float64Array,
  range: Block,
  bins: number,
  categories: readonly (number | undefined)[],
): Density {
  const d = block.columns
  const histograms = categories.map((size, j) => {
    const discrete = size !== undefined
    const [least, largest] = extent(range, j)
    const count = discrete ? Math.max(2, size) : bins + 2
    const width = discrete ? 1 : (largest - least) / bins || 1
    const binOf = (x: number): number =>
      discrete ? x : Math.min(count - 1, Math.max(0, 1 + Math.floor(x === largest ? bins - 1 : (x - least) / width)))
    const masses = new Float64Array(count).fill(0.5)
    let total = count / 2
    for (let n = 0; n < block.rows; n++) {
      const x = block.values[n * d + j]!
      if (Number.isNaN(x)) continue
      masses[binOf(x)]! += weights[n]!
      total += weights[n]!
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

function extent({ rows, columns, values }: Block, j: number): [number, number] {
  let least = Infinity
  let largest = -Infinity
  for (let i = j; i < rows * columns; i += columns) {
    const x = values[i]!
    if (x < least) least = x
    if (x > largest) largest = x
  }
  return least <= largest ? [least, largest] : [0, 1]
}
