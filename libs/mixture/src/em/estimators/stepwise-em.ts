import { type Block, rowsOf } from '../../families/block.ts'
import { empty, type Parameters, type Statistics, scale } from '../../families/family.ts'
import { type Prior, perUnitWeight } from '../../families/prior.ts'
import { takeRows } from '../../families/take-rows.ts'
import { permutation, type Random } from '../../numerics/random.ts'
import type { Mixture } from '../mixture.ts'
import type { StepSizeSpecification } from '../step-size.ts'
import { type StepwiseState, stepwiseUpdate } from '../stepwise-update.ts'
import type { Estimator, Fit, Start } from './estimator.ts'

export interface StepwiseOptions {
  readonly prior: Prior
  readonly stepSize: StepSizeSpecification
  /** events an update, default 512 */
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

/** Events whose statistics stand in for those of a warm-up. */
const START_EVENTS = 4096

/**
 * Stepwise EM over mini-batches (Cappé & Moulines 2009; Liang & Klein 2009; Nguyen, Forbes & McLachlan 2020): each batch
 * is scored, then learned. The lower bound is the mean of the scores over the last pass.
 */
export function stepwiseEm(options: StepwiseOptions): Estimator {
  const { batchSize = 512, passes = 1, shuffle, averageTail } = options
  return {
    name: 'stepwise',
    fit(mixture, block, weights, start): Fit {
      let state = startingState(mixture, block, weights, start)
      const updates = passes * Math.ceil(block.rows / batchSize)
      const average =
        averageTail === undefined ? undefined : tailAverage(mixture, Math.floor(updates * (1 - averageTail)))
      let prequentialLogLikelihood = Number.NaN
      let lowerBound = Number.NaN
      let events = 0
      for (let pass = 0; pass < passes; pass++) {
        const order = shuffle === undefined ? undefined : permutation(block.rows, shuffle)
        const rows = order === undefined ? block : takeRows(block, order)
        const rowWeights =
          order === undefined || weights === undefined ? weights : Float64Array.from(order, n => weights[n]!)
        let logLikelihood = 0
        let weight = 0
        for (let from = 0; from < rows.rows; from += batchSize) {
          const to = Math.min(rows.rows, from + batchSize)
          const statistics = empty(mixture)
          const batch = mixture.expectation(
            state.parameters,
            rowsOf(rows, from, to),
            rowWeights?.subarray(from, to),
            statistics,
          )
          state = stepwiseUpdate(mixture, options, state, statistics, batch.weight)
          average?.add(state.statistics)
          logLikelihood += batch.logLikelihood
          weight += batch.weight
          events += to - from
          options.onBatch?.(events, batch.logLikelihood / batch.weight)
        }
        lowerBound = logLikelihood / weight
        if (pass === 0) prequentialLogLikelihood = lowerBound
      }
      const { parameters, statistics } = average?.result(options.prior, state) ?? state
      return { parameters, statistics, lowerBound, converged: true, iterations: passes, prequentialLogLikelihood }
    },
  }
}

/** The start's statistics, or those of the first events under its parameters. */
export function startingState(
  mixture: Mixture,
  block: Block,
  weights: Float64Array | undefined,
  start: Start,
): StepwiseState {
  const rows = Math.min(block.rows, START_EVENTS)
  if (start.statistics !== undefined)
    return { parameters: start.parameters, statistics: start.statistics, step: 0, effectiveSampleSize: START_EVENTS }
  const statistics = empty(mixture)
  const { weight } = mixture.expectation(
    start.parameters,
    rowsOf(block, 0, rows),
    weights?.subarray(0, rows),
    statistics,
  )
  if (weight > 0) scale(statistics, 1 / weight)
  return { parameters: start.parameters, statistics, step: 0, effectiveSampleSize: Math.max(weight, 1) }
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
