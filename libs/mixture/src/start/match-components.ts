import { type Block, rowsOf } from '../families/block.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { type Model, scoreModel } from '../model/model.ts'
import { assignment } from '../numerics/assignment.ts'

/** Which component of a model goes on in which of another one. */
export interface Matching {
  /** shape (K): by component of the later model, the one of the earlier model that goes on in it */
  readonly earlier: Int32Array
  /** shape (K): how much the two have in common, 0 to 1: the events they share among those that either of them has */
  readonly overlap: Float64Array
}

/** Events that are looked at. */
const MOST_EVENTS = 16_384

/**
 * Matches the components of two models with equally many by the events they share: the assignment with the largest Σ_n r_n r'_n of
 * posterior probabilities.
 * @param block shape (rows ≥ 1, d), user's units; the last 16,384 events are looked at
 */
export function matchComponents(
  earlier: Pick<Model, 'specification' | 'parameters'>,
  later: Pick<Model, 'specification' | 'parameters'>,
  block: Block,
  kernel?: Kernel,
): Matching {
  const { components: K } = later.specification
  const events = rowsOf(block, Math.max(0, block.rows - MOST_EVENTS), block.rows)
  const before = scoreModel(earlier, events, kernel).posterior
  const after = scoreModel(later, events, kernel).posterior
  const shared = new Float64Array(K * K)
  const massBefore = new Float64Array(K)
  const massAfter = new Float64Array(K)
  for (let n = 0; n < events.rows; n++) {
    for (let k = 0; k < K; k++) {
      const r = after[n * K + k]!
      massAfter[k]! += r
      massBefore[k]! += before[n * K + k]!
      for (let j = 0; j < K; j++) shared[k * K + j]! += r * before[n * K + j]!
    }
  }
  const found = assignment(shared, K)
  const overlap = Float64Array.from(found, (j, k) => {
    const common = shared[k * K + j]!
    const either = massAfter[k]! + massBefore[j]! - common
    return either > 0 ? common / either : 0
  })
  return { earlier: found, overlap }
}
