import type { Block } from './block.ts'

/** The rows of a block in the given order, copied. */
export function takeRows(block: Block, order: Int32Array): Block {
  const { columns } = block
  const values = new Float64Array(order.length * columns)
  for (let n = 0; n < order.length; n++)
    values.set(block.values.subarray(order[n]! * columns, (order[n]! + 1) * columns), n * columns)
  return { rows: order.length, columns, values }
}
