import { sampleSize } from '../em/sample-size.ts'
import type { Block } from '../families/block.ts'
import { empty, scale } from '../families/family.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Model } from '../model/model.ts'
import { specifiedModel } from '../model/specified-model.ts'
import type { WarmUp } from './warm-up.ts'

/**
 * What a stream begins with that goes on from a model learned elsewhere: its parameters, and the statistics of a buffer of events under
 * them, as S_0 of stepwise EM.
 * @param block shape (rows, d), user's units
 * @throws if there are no rows
 */
export function warmUpOfModel(
  { specification, parameters }: Pick<Model, 'specification' | 'parameters'>,
  block: Block,
  weights: Float64Array,
  kernel?: Kernel,
): WarmUp {
  if (block.rows === 0) throw new Error('block.rows: expected at least 1, got 0; there is nothing to start from')
  const model = specifiedModel(specification, kernel)
  const statistics = empty(model.mixture)
  const { logLikelihood, weight } = model.expectation(parameters, block, weights, statistics)
  return {
    specification,
    parameters,
    learned: { statistics: scale(statistics, 1 / weight), rows: block.rows, ...sampleSize(weights, block.rows) },
    heldOutLogLikelihood: logLikelihood / weight,
    heldOutError: 0,
  }
}
