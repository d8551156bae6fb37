import { rowsOf } from '../../families/block.ts'
import { blend, empty, type Statistics, scale } from '../../families/family.ts'
import { type Prior, perUnitWeight } from '../../families/prior.ts'
import { DEFAULTS } from '../defaults.ts'
import type { Estimator, Fit } from './estimator.ts'

export interface VarianceReducedOptions {
  readonly prior: Prior
  /** ρ, constant step size, 0 < ρ ≤ 1; default 0.2 */
  readonly stepSize?: number
  /** events an update, default `DEFAULTS.batchSize` */
  readonly batchSize?: number
  /** E: epochs, each a full E-step for the anchor and one pass of updates; default 5 */
  readonly epochs?: number
  /** told after each epoch's full E-step */
  readonly onIteration?: (epoch: number, lowerBound: number) => void
}

/**
 * Variance-reduced stepwise EM, sEM-vr (Chen, Zhu, Teh & Zhang 2018, alg. 1): an epoch begins with the statistics S̃ of all events under
 * anchor parameters θ̃; each update is S ← (1−ρ) S + ρ (s̄_b(θ) − s̄_b(θ̃) + S̃). The difference of two E-steps on the same batch
 * has little variance, so that a constant step converges geometrically, where plain stepwise EM needs a falling one.
 * Objective: mean log-likelihood under the last anchor. An update that would leave a statistic not finite is skipped.
 */
export function varianceReducedEm(options: VarianceReducedOptions): Estimator {
  const { prior, stepSize = 0.2, batchSize = DEFAULTS.batchSize, epochs = 5, onIteration } = options
  return {
    name: 'variance-reduced',
    fit(mixture, block, weights, start): Fit {
      let { parameters } = start
      let statistics: Statistics = empty(mixture)
      let lowerBound = Number.NaN
      for (let epoch = 1; epoch <= epochs; epoch++) {
        const anchor = parameters
        const anchorStatistics = empty(mixture)
        const whole = mixture.expectation(anchor, block, weights, anchorStatistics)
        scale(anchorStatistics, 1 / whole.weight)
        lowerBound = whole.logLikelihood / whole.weight
        onIteration?.(epoch, lowerBound)
        const scaled = perUnitWeight(prior, whole.weight)
        // The anchor's own M-step is an iteration of batch EM; the pass goes on from there.
        statistics = anchorStatistics.slice()
        parameters = mixture.maximise(statistics, scaled, anchor)
        for (let from = 0; from < block.rows; from += batchSize) {
          const to = Math.min(block.rows, from + batchSize)
          const rows = rowsOf(block, from, to)
          const rowWeights = weights?.subarray(from, to)
          const now = empty(mixture)
          const { weight } = mixture.expectation(parameters, rows, rowWeights, now)
          if (!(weight > 0)) continue
          const then = empty(mixture)
          mixture.expectation(anchor, rows, rowWeights, then)
          for (let i = 0; i < now.length; i++) now[i] = (now[i]! - then[i]!) / weight + anchorStatistics[i]!
          const next = blend(statistics.slice(), now, stepSize)
          if (!next.every(Number.isFinite)) continue
          statistics = next
          parameters = mixture.maximise(statistics, scaled, parameters)
        }
      }
      return { parameters, statistics, lowerBound, converged: true, iterations: epochs }
    },
  }
}
