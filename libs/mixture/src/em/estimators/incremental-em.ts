import { type Block, rowsOf } from '../../families/block.ts'
import { empty, merge, type Statistics, scale } from '../../families/family.ts'
import { type Prior, perUnitWeight } from '../../families/prior.ts'
import { DEFAULTS } from '../defaults.ts'
import type { Mixture } from '../mixture.ts'
import type { Estimator, Fit } from './estimator.ts'

export interface IncrementalOptions {
  readonly prior: Prior
  /** events a batch, default `DEFAULTS.batchSize` */
  readonly batchSize?: number
  /** W, batches that are kept for replay, default 32 */
  readonly window?: number
  /** batches of the window that are visited again after each new one, oldest visit first, default 2 */
  readonly revisits?: number
  /** rounds over the window after the last event has come, default 0 */
  readonly finalRounds?: number
}

/**
 * Incremental EM (Neal & Hinton 1998, §4) on a stream with a bounded replay window. S is the sum of each batch's statistics of its last
 * visit: a new batch adds its own, a revisited one has them replaced, and a batch that leaves the window keeps those it had. With a
 * window of everything, the free energy never falls and the fixed points are those of batch EM.
 * Memory: W batches and W statistics, whatever the length of the stream.
 */
export function incrementalEm(options: IncrementalOptions): Estimator {
  const { prior, batchSize = DEFAULTS.batchSize, window = 32, revisits = 2, finalRounds = 0 } = options
  return {
    name: 'incremental',
    fit(mixture, block, weights, start): Fit {
      let { parameters } = start
      const past = empty(mixture)
      let pastWeight = 0
      const replay: Visit[] = []
      let oldestVisit = 0
      let logLikelihood = 0
      let weight = 0

      const statistics = (): Statistics => {
        const sum = past.slice()
        for (const visit of replay) merge(sum, visit.statistics)
        return sum
      }
      const maximise = (): void => {
        const total = pastWeight + replay.reduce((sum, visit) => sum + visit.weight, 0)
        if (total > 0)
          parameters = mixture.maximise(scale(statistics(), 1 / total), perUnitWeight(prior, total), parameters)
      }
      const revisit = (): void => {
        const place = oldestVisit++ % replay.length
        const { block: rows, weights: rowWeights } = replay[place]!
        replay[place] = visitOf(mixture, parameters, rows, rowWeights)
        maximise()
      }

      for (let from = 0; from < block.rows; from += batchSize) {
        const to = Math.min(block.rows, from + batchSize)
        const visit = visitOf(mixture, parameters, rowsOf(block, from, to), weights?.subarray(from, to))
        logLikelihood += visit.logLikelihood
        weight += visit.weight
        replay.push(visit)
        if (replay.length > window) {
          const leaving = replay.shift()!
          merge(past, leaving.statistics)
          pastWeight += leaving.weight
          oldestVisit = Math.max(0, oldestVisit - 1)
        }
        maximise()
        for (let i = 0; i < Math.min(revisits, replay.length); i++) revisit()
      }
      for (let i = 0; i < finalRounds * replay.length; i++) revisit()
      return {
        parameters,
        statistics: scale(statistics(), 1 / weight),
        lowerBound: logLikelihood / weight,
        converged: true,
        iterations: 1,
        prequentialLogLikelihood: logLikelihood / weight,
      }
    },
  }
}

/** A batch and what its last E-step found: SUMS over its events. */
interface Visit {
  readonly block: Block
  readonly weights: Float64Array | undefined
  readonly statistics: Statistics
  readonly logLikelihood: number
  readonly weight: number
}

function visitOf(
  mixture: Mixture,
  parameters: Parameters<Mixture['expectation']>[0],
  block: Block,
  weights: Float64Array | undefined,
): Visit {
  const statistics = empty(mixture)
  return { block, weights, statistics, ...mixture.expectation(parameters, block, weights, statistics) }
}
