import type { Parameters, Statistics } from '../families/family.ts'
import { type Prior, perUnitWeight } from '../families/prior.ts'
import type { Mixture } from './mixture.ts'
import { type StepSizeSpecification, stepSize } from './step-size.ts'

/** All that stepwise EM remembers. Never changed in place. */
export interface StepwiseState {
  readonly parameters: Parameters
  /** S: mean per unit of event weight, so that it stays bounded for ever */
  readonly statistics: Statistics
  /** t: number of updates so far */
  readonly step: number
  /** n: Σ of the weights of all events learned, the start's included */
  readonly weight: number
  /** Kish's effective number of events in S: (Σw)²/Σw²; weighs the prior against the data */
  readonly effectiveSampleSize: number
}

/** What an update depends on besides its state: a `ModelSpecification` will do. */
export interface StepwiseSettings {
  readonly prior: Prior
  readonly stepSize: StepSizeSpecification
}

/** What an update learns of a batch before the M-step. */
export interface BlendedStatistics extends Omit<StepwiseState, 'parameters'> {
  /** the prior that counts for as much beside `statistics` as the configured one beside the events in them */
  readonly prior: Prior
}

/**
 * S ← (1−γ_t) S + γ_t s̄ (Cappé & Moulines 2009, eq. 8).
 * @param batchStatistics the batch's under some (usually these) parameters: the sum, `batchWeight` s̄
 * @param batchWeight Σ of event weights, ≥ 0
 * @param into written to: becomes the new S
 * @param squaredWeight Σ of squared event weights; by default each event's is 1
 * @returns undefined for a batch without weight, or with a statistic that is not finite
 */
export function stepwiseBlend(
  settings: StepwiseSettings,
  state: Omit<StepwiseState, 'parameters'>,
  batchStatistics: Statistics,
  batchWeight: number,
  into: Statistics = new Float64Array(state.statistics.length),
  squaredWeight: number = batchWeight,
): BlendedStatistics | undefined {
  if (!(batchWeight > 0)) return undefined
  const step = state.step + 1
  const gamma = stepSize(settings.stepSize, state.weight, batchWeight)
  if (!blendFinite(into, state.statistics, batchStatistics, 1 / batchWeight, gamma)) return undefined
  const squares = (1 - gamma) ** 2 / state.effectiveSampleSize + gamma ** 2 * (squaredWeight / batchWeight ** 2)
  const effectiveSampleSize = 1 / squares
  const prior = perUnitWeight(settings.prior, effectiveSampleSize)
  return { statistics: into, step, weight: state.weight + batchWeight, effectiveSampleSize, prior }
}

/**
 * One update of stepwise EM: `stepwiseBlend`, then θ ← M-step(S) (Cappé & Moulines 2009, eq. 9).
 * Pure and deterministic: equal arguments give equal bytes. A batch without weight, or with a statistic that is not finite,
 * leaves the state as it is.
 */
export function stepwiseUpdate(
  mixture: Mixture,
  settings: StepwiseSettings,
  state: StepwiseState,
  batchStatistics: Statistics,
  batchWeight: number,
  squaredWeight: number = batchWeight,
): StepwiseState {
  const blended = stepwiseBlend(settings, state, batchStatistics, batchWeight, undefined, squaredWeight)
  if (blended === undefined) return state
  const { prior, ...next } = blended
  return { parameters: mixture.maximise(next.statistics, prior, state.parameters), ...next }
}

/** As `scale` and `blend`, in one pass, because statistics are long: into ← (1−γ) S + γ s̄. @returns whether s̄ is finite */
function blendFinite(
  into: Statistics,
  statistics: Statistics,
  batch: Statistics,
  factor: number,
  gamma: number,
): boolean {
  const keep = 1 - gamma
  let sum = 0
  for (let i = 0; i < into.length; i++) {
    const value = batch[i]! * factor
    // A product with 0 is NaN where the factor is not finite.
    sum += value * 0
    into[i] = keep * statistics[i]! + gamma * value
  }
  return sum === 0
}
