import type { Block } from '../families/block.ts'
import { LOWEST_LOG_DENSITY } from '../numerics/log-sum-exp.ts'

/** A density that is constant on each cell of a regular grid: the non-parametric baseline. */
export interface Histogram {
  /** cells along each axis */
  readonly bins: number
  /** shape (d): lower end and width of a cell of each axis, user's units */
  readonly low: Float64Array
  readonly width: Float64Array
  /** Σ of weights of all events */
  readonly total: number
  /** pseudo-events in every cell */
  readonly smoothing: number
  /** weight of each cell that has any; the key is its index Σ_j i_j bins^j */
  readonly cells: ReadonlyMap<number, number>
}

/**
 * Histogram of complete events on `bins`^d cells over the sample's range; events with a missing value are left out.
 * The number of cells grows so fast with d that most stay empty, which is the case against it.
 * @param smoothing pseudo-events added to every cell (Laplace), default 0
 */
export function fitHistogram(block: Block, weights: Float64Array | undefined, bins: number, smoothing = 0): Histogram {
  const { rows, columns: d, values } = block
  if (!(Number.isInteger(bins) && bins >= 1 && bins ** d <= Number.MAX_SAFE_INTEGER))
    throw new Error(`bins: expected a whole number ≥ 1 with at most 2^53 cells in all, got ${bins} along ${d} axes`)
  const low = new Float64Array(d).fill(Infinity)
  const high = new Float64Array(d).fill(-Infinity)
  for (let i = 0; i < rows * d; i++) {
    const x = values[i]!
    if (x < low[i % d]!) low[i % d] = x
    if (x > high[i % d]!) high[i % d] = x
  }
  const width = low.map((l, j) => {
    const size = (high[j]! - l) / bins
    return size > 0 && size < Infinity ? size : 1
  })
  for (let j = 0; j < d; j++) if (!Number.isFinite(low[j]!)) low[j] = 0
  const cells = new Map<number, number>()
  let total = 0
  for (let n = 0; n < rows; n++) {
    const cell = cellOf({ bins, low, width }, values, n * d)
    const w = weights?.[n] ?? 1
    if (cell < 0 || !(w > 0)) continue
    total += w
    cells.set(cell, (cells.get(cell) ?? 0) + w)
  }
  return { bins, low, width, total, smoothing, cells }
}

/** log p(x) of each event, nats; −1e300 outside the grid and in empty cells without smoothing, NaN for incomplete events. */
export function histogramLogDensity(histogram: Histogram, block: Block): Float64Array {
  const { bins, width, total, smoothing, cells } = histogram
  const d = block.columns
  const volume = width.reduce((sum, w) => sum + Math.log(w), 0)
  const normaliser = Math.log(total + smoothing * bins ** d)
  return Float64Array.from({ length: block.rows }, (_, n) => {
    const cell = cellOf(histogram, block.values, n * d)
    if (Number.isNaN(cell)) return Number.NaN
    const weight = cell < 0 ? 0 : (cells.get(cell) ?? 0) + smoothing
    return weight > 0 ? Math.log(weight) - normaliser - volume : LOWEST_LOG_DENSITY
  })
}

/** Index of the cell of the row at `offset`; −1 outside the grid, NaN where a value is missing. */
function cellOf(grid: Pick<Histogram, 'bins' | 'low' | 'width'>, values: Float64Array, offset: number): number {
  const { bins, low, width } = grid
  let cell = 0
  let outside = false
  for (let j = low.length - 1; j >= 0; j--) {
    const place = (values[offset + j]! - low[j]!) / width[j]!
    if (Number.isNaN(place)) return Number.NaN
    // The upper end of the range belongs to the last cell.
    const index = place === bins || (place > bins && place < bins * (1 + 1e-12)) ? bins - 1 : Math.floor(place)
    if (index < 0 || index >= bins) outside = true
    cell = cell * bins + index
  }
  return outside ? -1 : cell
}
