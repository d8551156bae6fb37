import type { Block } from '../families/block.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { type Model, scoreModel } from '../model/model.ts'
import { indexOfLargest } from '../numerics/index-of-largest.ts'
import { adjustedRandIndex } from './adjusted-rand-index.ts'

/**
 * How alike two models divide the same events: the adjusted Rand index of their segments, 1 for the same division, about 0 for two that
 * have nothing to do with each other. Of models of two halves of the events, it says how far segments depend on which events there
 * happened to be (Lange et al. 2004).
 * @param block shape (rows, d), user's units
 */
export function agreement(models: readonly [Model, Model], block: Block, kernel?: Kernel): number {
  const [first, second] = models.map(model => segmentsOf(model, block, kernel))
  return adjustedRandIndex(first!, second!)
}

/** shape (rows) */
function segmentsOf(model: Model, block: Block, kernel: Kernel | undefined): Int32Array {
  const { components } = model.specification
  const { posterior } = scoreModel(model, block, kernel)
  return Int32Array.from({ length: block.rows }, (_, n) => indexOfLargest(posterior, n * components, components))
}
