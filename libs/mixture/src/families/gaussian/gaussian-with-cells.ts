import type { Levels } from '../discrete/levels.ts'
import type { Family, Parameters } from '../family.ts'
import { addCellVariance, firstColumns, precisionCache } from './cell-variance.ts'
import { type GaussianFamily, gaussian } from './gaussian.ts'
import type { Accelerable, GaussianKernel } from './gaussian-kernel.ts'
import type { GaussianLayout, GaussianOptions } from './layout.ts'
import { flooredGaussians } from './moments.ts'

export interface CellOptions {
  /** columns of the d that stand for cells, in the order of their variances' columns */
  readonly cells: readonly number[]
}

/** Gaussian components of events some of whose values stand for cells. It says what it is made of, for a compiled kernel. */
export interface GaussianWithCells extends Family, Accelerable {
  readonly gaussian: GaussianFamily
  /** the cell variances as levels; their statistics are the gaussian's own */
  readonly cellLevels: Levels
}

/**
 * Gaussian components of rounded values. A block has the d columns of a gaussian one, and behind them one column for each of `cells` with the
 * variance v of the value's cell, in model units squared; NaN where the value is missing. An event stands for all values of its cell:
 * log p(x | θ_k) is their mean log density, log N(x; μ_k, Σ_k) − ½ Σ_j v_j (Σ_k⁻¹)_jj, and the M-step's second moments take v besides
 * (Sheppard 1898; the lower bound of the likelihood of values spread over their cells). No component can collapse on one value: Σ_jj ≥ v_j.
 * Exact for complete events; where values are missing, Σ_k⁻¹ is taken of all columns, which costs a component at most ½ nat a cell too much,
 * and what the missing ones owe to the cells of the others is left out.
 * Parameters and statistics are those of `gaussian`.
 * @param kernel takes over what it can
 */
export function gaussianWithCells(options: GaussianOptions & CellOptions, kernel?: GaussianKernel): GaussianWithCells {
  const inner = gaussian(options, kernel)
  const { layout, components: K, columns: d } = inner
  const { cells } = options
  const columns = d + cells.length
  const precisions = precisionCache(layout, cells)
  const numbers = firstColumns(d)

  return {
    name: 'gaussian',
    gaussian: inner,
    cellLevels: cellLevels(layout, cells, precisions),
    components: K,
    columns,
    statisticsLength: inner.statisticsLength,
    initial: (block, weights) => inner.initial(numbers(block), weights),
    maximise: inner.maximise,
    moments: inner.moments,
    floored: (...of) => flooredGaussians(layout, ...of),
    withKernel: other => gaussianWithCells(options, other),

    observe(into, block, responsibilities, parameters) {
      inner.observe(into, numbers(block), responsibilities, parameters)
      for (let n = 0; n < block.rows; n++)
        for (const [i, j] of cells.entries()) {
          const variance = block.values[n * columns + d + i]!
          if (!(variance > 0)) continue
          for (let k = 0; k < K; k++) addCellVariance(into, layout, k, j, responsibilities[n * K + k]! * variance)
        }
    },

    logDensity(parameters, block, out) {
      inner.logDensity(parameters, numbers(block), out)
      const own = precisions(parameters)
      for (let n = 0; n < block.rows; n++)
        for (let i = 0; i < cells.length; i++) {
          const variance = block.values[n * columns + d + i]!
          if (!(variance > 0)) continue
          for (let k = 0; k < K; k++) out[n * K + k]! -= 0.5 * variance * own[i * K + k]!
        }
    },
  }
}

export const hasCells = (family: Family): family is GaussianWithCells => 'cellLevels' in family

/** Columns of cell variances as levels: few, as equal values have equal cells. */
function cellLevels(
  layout: GaussianLayout,
  cells: readonly number[],
  precisions: (parameters: Parameters) => Float64Array,
): Levels {
  const K = layout.components
  let variances: number[] = []
  let columns: number[] = []

  return {
    most: rows => rows * cells.length,

    encode(block, places, from, to, { codes, stride, offset, first, size }) {
      variances = []
      columns = []
      for (let i = 0; i < cells.length; i++) {
        const levelOf = new Map<number, number>()
        let last = Number.NaN
        let code = 0
        for (let n = from, out = offset + i; n < to; n++, out += stride) {
          const variance = block.values[n * block.columns + places[i]!]!
          if (variance !== last) {
            last = variance
            code = variance > 0 ? (first + levelOfVariance(levelOf, variance, i)) * size : 0
          }
          codes[out] = code
        }
      }
      return variances.length
    },

    logProbabilities(parameters, table, pitch) {
      const own = precisions(parameters)
      for (let level = 0; level < variances.length; level++)
        for (let k = 0; k < K; k++) table[level * pitch + k] = -0.5 * variances[level]! * own[columns[level]! * K + k]!
    },

    addSums(into, sums, pitch) {
      for (let level = 0; level < variances.length; level++)
        for (let k = 0; k < K; k++)
          addCellVariance(into, layout, k, cells[columns[level]!]!, sums[level * pitch + k]! * variances[level]!)
    },
  }

  function levelOfVariance(levelOf: Map<number, number>, variance: number, column: number): number {
    let level = levelOf.get(variance)
    if (level === undefined) {
      level = variances.length
      levelOf.set(variance, level)
      variances.push(variance)
      columns.push(column)
    }
    return level
  }
}
