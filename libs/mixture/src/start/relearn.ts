import type { Block } from '../families/block.ts'
import type { Parameters } from '../families/family.ts'
import { takeRows } from '../families/take-rows.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { type Model, scoreModel } from '../model/model.ts'
import type { ModelSpecification } from '../model/specification.ts'
import type { TransformParameters } from '../model/transform.ts'
import { permutation, type Random } from '../numerics/random.ts'
import { weightedMean } from '../numerics/weighted-mean.ts'
import { leastExpected } from './surprise.ts'
import { warmUp } from './warm-up.ts'

/** A mean and its standard error. */
export interface Mean {
  readonly mean: number
  readonly error: number
}

/** A model that was learned anew, perhaps in another form, and an old one, on events that the new one has not seen. */
export interface LearnedAnew {
  /** with the treatment of each feature */
  readonly specification: ModelSpecification
  /** the transform's arrays included */
  readonly parameters: Parameters
  /** events that were kept back */
  readonly heldOut: number
  /** log-likelihood of an event under the old and under the new model, nats per unit weight, user's units */
  readonly before: Mean
  readonly after: Mean
  /** of the new model's over the old one's; means something only where both are of the same features */
  readonly gain: Mean
}

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
 * Learns a model from three of four events, and tells how well it and an old one explain the fourth. The old model may have learned that one: it
 * is favoured.
 * @param declared the form to learn
 * @param events shape (rows ≥ 4, d) each, user's units: the same events as each model sees them
 * @param frozen the transform's arrays, if the new model is to have the old one's
 */
export function learnAnew(
  model: Pick<Model, 'specification' | 'parameters'>,
  declared: ModelSpecification,
  events: { readonly before: Block; readonly after: Block },
  weights: Float64Array,
  random: Random,
  kernel?: Kernel,
  frozen?: TransformParameters,
): LearnedAnew {
  const { rows } = events.after
  const order = permutation(rows, random)
  const heldOut = order.subarray(0, Math.floor(rows / HELD_OUT_SHARE))
  const train = order.subarray(heldOut.length)
  const of = (chosen: Int32Array) => Float64Array.from(chosen, n => weights[n]!)
  const learned = warmUp(declared, takeRows(events.after, train), of(train), random, kernel, frozen)
  const { specification, parameters } = learned
  const before = scoreModel(model, takeRows(events.before, heldOut), kernel).logDensity
  const after = scoreModel({ specification, parameters }, takeRows(events.after, heldOut), kernel).logDensity
  const mean = (values: Float64Array): Mean => weightedMean(values, of(heldOut))
  return {
    specification,
    parameters,
    heldOut: heldOut.length,
    before: mean(before),
    after: mean(after),
    gain: mean(after.map((value, n) => value - before[n]!)),
  }
}

/**
 * Learns a model of the same form anew from events, and judges it against a model on those of them that were kept back.
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
  const events = { before: block, after: block }
  const learned = learnAnew(model, model.specification, events, weights, random, kernel, frozen)
  const { mean: gain, error: gainError } = learned.gain
  const better = gain > Math.max(WORTHWHILE, CERTAINTY * gainError)
  const { mean, error } = better ? learned.after : learned.before
  return { parameters: learned.parameters, better, gain, gainError, expectedLogLikelihood: leastExpected(mean, error) }
}
