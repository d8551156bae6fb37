import { type Block, rowsOf } from '../families/block.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { type Model, scoreModel } from '../model/model.ts'
import { assignment } from '../numerics/assignment.ts'

/** Which component of a model goes on in which of another one. */
export interface Matching {
  /** shape (K): by component of the later model, the one of the earlier model that goes on in it; −1 where none does */
  readonly earlier: Int32Array
  /** shape (K): how much the two have in common, 0 to 1: the events they share among those that either of them has */
  readonly overlap: Float64Array
  /** shape (K, components of the earlier model): the share of events that a component of each has, which sum to 1 */
  readonly shared: Float64Array
}

/** Events that are looked at. */
const MOST_EVENTS = 16_384

/**
 * Matches the components of two models by the events they share: the assignment with the largest Σ_n r_n r'_n of posterior
 * probabilities. Where one of them has more, some are left over.
 * @param block shape (rows ≥ 1, d), user's units; the last 16,384 events are looked at
 * @param seen the same events as the earlier model sees them, if it has other features
 */
export function matchComponents(
  earlier: Pick<Model, 'specification' | 'parameters'>,
  later: Pick<Model, 'specification' | 'parameters'>,
  block: Block,
  kernel?: Kernel,
  seen: Block = block,
): Matching {
  const { components: K } = later.specification
  const { components: J } = earlier.specification
  const first = Math.max(0, block.rows - MOST_EVENTS)
  const events = rowsOf(block, first, block.rows)
  const before = scoreModel(earlier, rowsOf(seen, first, block.rows), kernel).posterior
  const after = scoreModel(later, events, kernel).posterior
  const shared = new Float64Array(K * J)
  const massBefore = new Float64Array(J)
  const massAfter = new Float64Array(K)
  for (let n = 0; n < events.rows; n++) {
    for (let k = 0; k < K; k++) {
      const r = after[n * K + k]!
      massAfter[k]! += r
      for (let j = 0; j < J; j++) shared[k * J + j]! += r * before[n * J + j]!
    }
    for (let j = 0; j < J; j++) massBefore[j]! += before[n * J + j]!
  }
  // Who is left over is matched with a component that has no events.
  const size = Math.max(K, J)
  const square = new Float64Array(size * size)
  for (let k = 0; k < K; k++) square.set(shared.subarray(k * J, (k + 1) * J), k * size)
  const found = assignment(square, size).subarray(0, K)
  const matched = found.map(j => (j < J ? j : -1))
  const overlap = Float64Array.from(matched, (j, k) => {
    if (j < 0) return 0
    const common = shared[k * J + j]!
    const either = massAfter[k]! + massBefore[j]! - common
    return either > 0 ? common / either : 0
  })
  return { earlier: matched, overlap, shared: shared.map(mass => mass / events.rows) }
}
