import type { Block } from '../block.ts'

/** Rows of a block by whether all their values are there. */
export interface Completeness {
  readonly complete: Int32Array
  /** rows with a missing value (NaN) */
  readonly incomplete: Int32Array
}

/** Tells complete rows among [from, to) from those with a missing value. */
export function completeness(block: Block, from: number, to: number): Completeness {
  const { columns, values } = block
  const complete = new Int32Array(to - from)
  const incomplete = new Int32Array(to - from)
  let a = 0
  let b = 0
  for (let n = from; n < to; n++) {
    // A sum is NaN if a term is; infinities do not get here.
    let sum = 0
    for (let i = n * columns; i < (n + 1) * columns; i++) sum += values[i]! * 0
    if (Number.isNaN(sum)) incomplete[b++] = n
    else complete[a++] = n
  }
  return { complete: complete.subarray(0, a), incomplete: incomplete.subarray(0, b) }
}

/** The given rows of a block, copied, of all columns or of some. */
export function gatherRows(block: Block, rows: Int32Array, some?: Int32Array): Block {
  const columns = some?.length ?? block.columns
  const values = new Float64Array(rows.length * columns)
  for (let n = 0, at = 0; n < rows.length; n++) {
    const from = rows[n]! * block.columns
    for (let i = 0; i < columns; i++) values[at++] = block.values[from + (some?.[i] ?? i)]!
  }
  return { rows: rows.length, columns, values }
}

/** The given elements, copied. */
export function gather(values: Float64Array, rows: Int32Array): Float64Array {
  const out = new Float64Array(rows.length)
  for (let n = 0; n < rows.length; n++) out[n] = values[rows[n]!]!
  return out
}
