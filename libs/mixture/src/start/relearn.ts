import type { Block } from '../families/block.ts'
import type { Parameters } from '../families/family.ts'
import { takeRows } from '../families/take-rows.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { createMixture } from '../model/create-mixture.ts'
import { type Model, scoreModel } from '../model/model.ts'
import type { ModelSpecification } from '../model/specification.ts'
import { applyTransform, transformOf } from '../model/transform.ts'
import { permutation, type Random } from '../numerics/random.ts'
import { weightedMean } from '../numerics/weighted-mean.ts'
import { type Sample, SEARCH_ROWS, sampleOf, search, settle } from './search.ts'
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

/** What judging the components of a running model came to. */
export interface Judgement {
  /** to go on from, the transform's arrays included; of the same specification */
  readonly parameters: Parameters
  /** whether these are better than the running model's */
  readonly better: boolean
  /** mean gain in log-likelihood of events kept back, and its standard error, nats per unit weight */
  readonly gain: number
  readonly gainError: number
  /** the least that is expected of an event, nats per unit weight, user's units */
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
 */
export function learnAnew(
  model: Pick<Model, 'specification' | 'parameters'>,
  declared: ModelSpecification,
  events: { readonly before: Block; readonly after: Block },
  weights: Float64Array,
  random: Random,
  kernel?: Kernel,
): LearnedAnew {
  const { rows } = events.after
  const order = permutation(rows, random)
  const heldOut = order.subarray(0, Math.floor(rows / HELD_OUT_SHARE))
  const train = order.subarray(heldOut.length)
  const of = (chosen: Int32Array) => Float64Array.from(chosen, n => weights[n]!)
  const learned = warmUp(declared, takeRows(events.after, train), of(train), random, kernel)
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

/** A model that forgets has learned its newest events best, and a fit of all would lose that. */
const forgetsNothing = ({ stepSize: { exponent, halfLife } }: ModelSpecification): boolean =>
  exponent === 1 && halfLife === undefined

/**
 * Learns components anew from events, and judges them on a fourth of them that is kept back. The running model has learned that fourth, which would favour it by as
 * much as a parameter can gain by fitting noise. So two models are compared that have both learned the other three quarters alone: one is where EM leads from the
 * running model, the other the best that a search finds. If the second is better beyond doubt, its maximum is taken; if not, that of the running
 * model, where EM there came to more than the running model has, or these are all events there were.
 * @param block shape (rows ≥ 4, d), user's units
 * @param complete whether these are all events that the model has learned
 */
export function relearn(
  { specification, parameters: running }: Pick<Model, 'specification' | 'parameters'>,
  block: Block,
  weights: Float64Array,
  complete: boolean,
  random: Random,
  kernel?: Kernel,
): Judgement {
  const mixture = createMixture(specification, kernel)
  const transform = transformOf(running)
  const { block: events, logJacobian } = applyTransform(specification, transform, block)
  const order = permutation(block.rows, random)
  const heldOut = order.subarray(0, Math.floor(block.rows / HELD_OUT_SHARE))
  const sampled = (rows: Int32Array) => ({
    events: takeRows(events, rows),
    weights: Float64Array.from(rows, n => weights[n]!),
  })
  const train = sampled(order.subarray(heldOut.length))
  const test = sampled(heldOut)
  const settled = (of: Sample, start: Parameters) =>
    settle(specification, mixture, of.events, of.weights, start, specification.warmUp.iterations).parameters
  const densities = (parameters: Parameters): Float64Array => {
    const { rows } = test.events
    const logDensity = new Float64Array(rows)
    mixture.score(parameters, test.events, new Float64Array(rows * specification.components), logDensity)
    return logDensity.map((density, n) => density + logJacobian[heldOut[n]!]!)
  }
  const gainOf = (after: Float64Array, before: Float64Array) => {
    const { mean, error } = weightedMean(
      after.map((value, n) => value - before[n]!),
      test.weights,
    )
    return { gain: mean, gainError: error, sure: mean > Math.max(WORTHWHILE, CERTAINTY * error) }
  }
  const same = settled(train, running)
  const sample = sampleOf(train, SEARCH_ROWS, random)
  const other = settled(train, search(specification, sample, { random, kernel, from: same }).parameters)
  const [before, ofSame, ofOther] = [running, same, other].map(densities) as [Float64Array, Float64Array, Float64Array]
  const moved = gainOf(ofOther, ofSame)
  const gain = moved.sure ? moved : gainOf(ofSame, before)
  const { mean, error } = weightedMean(moved.sure ? ofOther : ofSame, test.weights)
  const found = settled({ events, weights }, moved.sure ? other : same)
  return {
    parameters: { ...found, ...transform },
    better: gain.sure || (complete && forgetsNothing(specification)),
    gain: gain.gain,
    gainError: gain.gainError,
    expectedLogLikelihood: leastExpected(mean, error),
  }
}
