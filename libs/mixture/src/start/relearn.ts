import type { Block } from '../families/block.ts'
import type { Parameters } from '../families/family.ts'
import { takeRows } from '../families/take-rows.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { type Model, scoreModel } from '../model/model.ts'
import type { TransformParameters } from '../model/transform.ts'
import { permutation, type Random } from '../numerics/random.ts'
import { weightedMean } from '../numerics/weighted-mean.ts'
import { leastExpected } from './surprise.ts'
import { warmUp } from './warm-up.ts'

/** A model and one that was learned anew, on events that the new one has not seen. */
export interface Judgement {
  /** of the new model, the transform's arrays included; of the old one's specification */
  readonly parameters: Parameters
  /** whether the new model is better beyond doubt */
  readonly better: boolean
  /** mean gain in log-likelihood, and its standard error, nats per unit weight */
  readonly gain: number
  readonly gainError: number
  /** the least that is expected of an event under the better one, nats per unit weight, user's units */
  readonly expectedLogLikelihood: number
}

/** One event in this many is kept back to judge. */
const HELD_OUT_SHARE = 4

/** A gain that is worth other segments, nats an event. */
const WORTHWHILE = 0.01

/** Standard errors that a gain must have: a single event, however odd, is worth one. */
const CERTAINTY = 2

/**
 * Learns a model of the same form anew from events, and judges it against a model on those of them that were kept back. The old model
 * may have learned these: it is favoured.
 * @param block shape (rows ≥ 4, d), user's units
 * @param frozen the transform's arrays, if the new model is to have the old one's
 */
export function relearn(
  model: Pick<Model, 'specification' | 'parameters'>,
  block: Block,
  weights: Float64Array,
  random: Random,
  kernel?: Kernel,
  frozen?: TransformParameters,
): Judgement {
  const { specification } = model
  const order = permutation(block.rows, random)
  const heldOut = order.subarray(0, Math.floor(block.rows / HELD_OUT_SHARE))
  const train = order.subarray(heldOut.length)
  const of = (rows: Int32Array) => Float64Array.from(rows, n => weights[n]!)
  const { parameters } = warmUp(specification, takeRows(block, train), of(train), random, kernel, frozen)
  const test = takeRows(block, heldOut)
  const before = scoreModel(model, test, kernel).logDensity
  const after = scoreModel({ specification, parameters }, test, kernel).logDensity
  const w = of(heldOut)
  const { mean: gain, error: gainError } = weightedMean(
    after.map((value, n) => value - before[n]!),
    w,
  )
  const better = gain > Math.max(WORTHWHILE, CERTAINTY * gainError)
  const { mean, error } = weightedMean(better ? after : before, w)
  return { parameters, better, gain, gainError, expectedLogLikelihood: leastExpected(mean, error) }
}
