import { indexOfLargest, type Kernel, type Model, scoreModel } from '@eddy/mixture'
import type { FeatureMatrix } from '@eddy/records'

/** Rows that are scored at once. */
const SLICE = 65_536

/**
 * How many customers each component has: a customer is in the segment of the last of its events.
 * @param customers shape (rows): the number of each row's customer, 0 …
 * @returns shape (K)
 */
export function customersOfSegments(
  model: Model,
  { rows, columns: { length: d }, values }: FeatureMatrix,
  customers: Int32Array,
  kernel?: Kernel,
): Int32Array {
  const K = model.specification.components
  const segmentOf: number[] = []
  for (let from = 0; from < rows; from += SLICE) {
    const to = Math.min(rows, from + SLICE)
    const block = { rows: to - from, columns: d, values: values.subarray(from * d, to * d) }
    const { posterior } = scoreModel(model, block, kernel)
    for (let n = from; n < to; n++) segmentOf[customers[n]!] = indexOfLargest(posterior, (n - from) * K, K)
  }
  const counts = new Int32Array(K)
  for (const k of segmentOf) counts[k]!++
  return counts
}
