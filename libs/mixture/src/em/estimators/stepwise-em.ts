import { rowsOf } from '../../families/block.ts'
import { empty, type Parameters, type Statistics } from '../../families/family.ts'
import { type Prior, perUnitWeight } from '../../families/prior.ts'
import { takeRows } from '../../families/take-rows.ts'
import { permutation, type Random } from '../../numerics/random.ts'
import { DEFAULTS } from '../defaults.ts'
import type { Mixture } from '../mixture.ts'
import { squaredSum } from '../sample-size.ts'
import type { StepSizeSpecification } from '../step-size.ts'
import { type StepwiseState, stepwiseUpdate } from '../stepwise-update.ts'
import type { Estimator, Fit, Start } from './estimator.ts'

export interface StepwiseOptions {
  readonly prior: Prior
  readonly stepSize: StepSizeSpecification
  /** events an update, default `DEFAULTS.batchSize` */
  readonly batchSize?: number
  /** times over the data, default 1 */
  readonly passes?: number
  /** events in random order, a new one each pass; in the order they came if absent */
  readonly shuffle?: Random
  /**
   * Share of the updates at the end whose statistics are averaged (Polyak & Juditsky 1992), 0 < share ≤ 1. Only for
   * stationary data: on a drifting stream it averages over what is past.
   */
  readonly averageTail?: number
  /** told after each update: events learned so far and the batch's mean log-likelihood before learning, nats */
  readonly onBatch?: (events: number, logLikelihood: number) => void
}

/**
 * Stepwise EM over mini-batches (Cappé & Moulines 2009; Liang & Klein 2009; Nguyen, Forbes & McLachlan 2020): each batch
 * is scored, then learned. Events that the start has learned are not learned again in the first pass; without such a start the first
 * batch is as large as a warm-up, because it alone makes the first model. In a first pass in order the start may revise the state.
 * The lower bound is the mean of the scores over the last pass, those of the start's events being under the start.
 */
export function stepwiseEm(options: StepwiseOptions): Estimator {
  const { batchSize = DEFAULTS.batchSize, passes = 1, shuffle, averageTail } = options
  return {
    name: 'stepwise',
    fit(mixture, block, weights, start): Fit {
      let state = startingState(mixture, start)
      const known = start.learned?.rows ?? 0
      const updates = Math.ceil((block.rows - known) / batchSize) + (passes - 1) * Math.ceil(block.rows / batchSize)
      const average =
        averageTail === undefined ? undefined : tailAverage(mixture, Math.floor(updates * (1 - averageTail)))
      let prequentialLogLikelihood: number | undefined
      let lowerBound = Number.NaN
      let events = 0
      for (let pass = 0; pass < passes; pass++) {
        const first = pass === 0 ? known : 0
        const order = shuffle === undefined ? undefined : permutation(block.rows - first, shuffle).map(n => n + first)
        const rows = order === undefined ? rowsOf(block, first, block.rows) : takeRows(block, order)
        const rowWeights =
          order === undefined || weights === undefined
            ? weights?.subarray(first)
            : Float64Array.from(order, n => weights[n]!)
        let logLikelihood = 0
        let weight = 0
        for (let from = 0; from < rows.rows; ) {
          const size = state.weight > 0 ? batchSize : Math.max(batchSize, DEFAULTS.warmUp.events)
          const to = Math.min(rows.rows, from + size)
          const statistics = empty(mixture)
          const w = rowWeights?.subarray(from, to)
          const batch = mixture.expectation(state.parameters, rowsOf(rows, from, to), w, statistics)
          state = stepwiseUpdate(mixture, options, state, statistics, batch.weight, squaredSum(w, to - from))
          if (pass === 0 && order === undefined) state = start.revise?.(state, first + to, batch) ?? state
          average?.add(state.statistics)
          logLikelihood += batch.logLikelihood
          weight += batch.weight
          events += to - from
          from = to
          options.onBatch?.(events, batch.logLikelihood / batch.weight)
        }
        if (pass === 0) {
          if (weight > 0) prequentialLogLikelihood = logLikelihood / weight
          const learned = mixture.expectation(
            start.parameters,
            rowsOf(block, 0, known),
            weights?.subarray(0, known),
            empty(mixture),
          )
          logLikelihood += learned.logLikelihood
          weight += learned.weight
        }
        lowerBound = logLikelihood / weight
      }
      const { parameters, statistics } = average?.result(options.prior, state) ?? state
      return {
        parameters,
        statistics,
        lowerBound,
        converged: true,
        iterations: passes,
        ...(prequentialLogLikelihood === undefined ? {} : { prequentialLogLikelihood, prequentialFrom: known }),
      }
    },
  }
}

/** State of stepwise EM before its first batch: what the start has learned, or nothing. */
export function startingState(mixture: Mixture, { parameters, learned }: Start): StepwiseState {
  const { statistics, weight, effectiveSampleSize } = learned ?? {
    statistics: empty(mixture),
    weight: 0,
    effectiveSampleSize: 1,
  }
  return { parameters, statistics, step: 0, weight, effectiveSampleSize }
}

function tailAverage(mixture: Mixture, skip: number) {
  const sum = empty(mixture)
  let seen = 0
  let count = 0
  return {
    add(statistics: Statistics): void {
      if (seen++ < skip) return
      count++
      for (let i = 0; i < sum.length; i++) sum[i]! += (statistics[i]! - sum[i]!) / count
    },
    result(prior: Prior, state: StepwiseState): { parameters: Parameters; statistics: Statistics } | undefined {
      if (count === 0) return undefined
      const scaled = perUnitWeight(prior, state.effectiveSampleSize)
      return { parameters: mixture.maximise(sum, scaled, state.parameters), statistics: sum }
    },
  }
}
