import { packedIndex } from '../../numerics/packed.ts'
import type { Block } from '../block.ts'
import type { Parameters, Statistics } from '../family.ts'
import type { GaussianLayout } from './layout.ts'

/** Place in a gaussian family's statistics of component k's square of column j. */
function squarePlace(layout: GaussianLayout, k: number, j: number): number {
  const { covariance, columns: d, packed, second, triangular } = layout
  if (!triangular) return second + k * d + j
  return second + (covariance === 'tied' ? 0 : k * packed) + packedIndex(j, j)
}

/**
 * (Σ_k⁻¹)_jj of some columns: what a unit of variance in that column costs an event of component k, twice in nats.
 * @param out written to, shape (columns.length, K)
 */
function precisionDiagonal(
  layout: GaussianLayout,
  parameters: Parameters,
  columns: readonly number[],
  out: Float64Array,
): void {
  const { components: K, columns: d, covariance, packed, triangular } = layout
  const factors = parameters.precisionsCholesky!
  for (const [i, j] of columns.entries())
    for (let k = 0; k < K; k++) {
      let sum = 0
      if (triangular) {
        const start = covariance === 'tied' ? 0 : k * packed
        for (let row = j; row < d; row++) sum += factors[start + packedIndex(row, j)]! ** 2
      } else sum = factors[covariance === 'diag' ? k * d + j : k]! ** 2
      out[i * K + k] = sum
    }
}

/** Adds the variance that an event's cell has in column j, weighted by the component. @param into written to */
export function addCellVariance(
  into: Statistics,
  layout: GaussianLayout,
  k: number,
  j: number,
  variance: number,
): void {
  into[squarePlace(layout, k, j)]! += variance
}

/** `precisionDiagonal` of the parameters asked for last: they are never changed in place. */
export function precisionCache(
  layout: GaussianLayout,
  cells: readonly number[],
): (parameters: Parameters) => Float64Array {
  const out = new Float64Array(cells.length * layout.components)
  let held: Float64Array | undefined
  return parameters => {
    if (parameters.precisionsCholesky !== held) {
      precisionDiagonal(layout, parameters, cells, out)
      held = parameters.precisionsCholesky
    }
    return out
  }
}

/** Copies the first d columns of a block into memory that is used again; the copy is valid until the next one. */
export function firstColumns(d: number): (block: Block) => Block {
  let memory = new Float64Array(0)
  return ({ rows, columns, values }) => {
    if (memory.length < rows * d) memory = new Float64Array(rows * d)
    for (let n = 0; n < rows; n++) for (let j = 0, from = n * columns; j < d; j++) memory[n * d + j] = values[from + j]!
    return { rows, columns: d, values: memory.subarray(0, rows * d) }
  }
}
