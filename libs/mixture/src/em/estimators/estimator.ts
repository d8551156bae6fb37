import type { Block } from '../../families/block.ts'
import type { Parameters, Statistics } from '../../families/family.ts'
import type { Prior } from '../../families/prior.ts'
import type { Expectation, Mixture } from '../mixture.ts'
import type { StepwiseState } from '../stepwise-update.ts'

/** Where an estimator begins. */
export interface Start {
  readonly parameters: Parameters
  /** of a warm-up on the first events; where absent an estimator that needs them makes them from the first events */
  readonly learned?: Learned
  /**
   * Asked after each batch of a first pass in the order of the rows: what to go on from instead, where other components are better.
   * @param rows that have been learned
   * @param batch of the last of them, before they were learned
   */
  readonly revise?: (state: StepwiseState, rows: number, batch: Expectation) => StepwiseState | undefined
}

/** What a start has learned: statistics, and the events they are of. */
export interface Learned {
  /** mean per unit weight */
  readonly statistics: Statistics
  /** number of leading rows that have been learned */
  readonly rows: number
  /** Σ of their weights */
  readonly weight: number
  /** Kish's effective number of them, (Σw)²/Σw² */
  readonly effectiveSampleSize: number
}

/** What an estimator found. */
export interface Fit {
  readonly parameters: Parameters
  /** mean per unit weight: what the last M-step was made from */
  readonly statistics: Statistics
  /** the estimator's objective at its last E-step, before the last M-step, nats per unit weight (scikit-learn's `lower_bound_`) */
  readonly lowerBound: number
  /** whether the objective changed by less than the tolerance */
  readonly converged: boolean
  /** E-steps over the whole data (scikit-learn's `n_iter_`); of one-pass estimators: passes */
  readonly iterations: number
  /** one-pass estimators: mean log p of each event before it was learned, over the first pass, nats per unit weight */
  readonly prequentialLogLikelihood?: number
  /** the first row of those that this is the mean of, default 0 */
  readonly prequentialFrom?: number
}

/**
 * A way to fit a mixture to a block of events in model space.
 * `fit` reads its arguments only, and gives equal results for equal arguments and equal randomness.
 */
export interface Estimator {
  readonly name: string
  /** its objective is a distance in model space, not a log-likelihood: it knows no change of units */
  readonly isDistance?: true
  /** @param weights shape (rows), 1 each if undefined */
  fit(mixture: Mixture, block: Block, weights: Float64Array | undefined, start: Start): Fit
}

/** What estimators that go over all data again and again have in common. */
export interface IterationOptions {
  readonly prior: Prior
  /** stop when the objective changes by less than this, nats per unit weight; default 1e-3 as in scikit-learn */
  readonly tolerance?: number
  /** default 100 */
  readonly maxIterations?: number
  /** told after each iteration */
  readonly onIteration?: (iteration: number, lowerBound: number) => void
}

/**
 * Alternates `step` (E-step, then M-step) until its objective changes by less than the tolerance.
 * @param step gives the next parameters and the objective under the ones it was given
 */
export function iterate(
  options: IterationOptions,
  start: Parameters,
  step: (parameters: Parameters) => { parameters: Parameters; statistics: Statistics; objective: number },
): Fit {
  const { tolerance = 1e-3, maxIterations = 100, onIteration } = options
  let parameters = start
  let statistics: Statistics = new Float64Array(0)
  let lowerBound = -Infinity
  for (let iteration = 1; iteration <= maxIterations; iteration++) {
    const next = step(parameters)
    parameters = next.parameters
    statistics = next.statistics
    const change = next.objective - lowerBound
    lowerBound = next.objective
    onIteration?.(iteration, lowerBound)
    if (Math.abs(change) < tolerance)
      return { parameters, statistics, lowerBound, converged: true, iterations: iteration }
  }
  return { parameters, statistics, lowerBound, converged: false, iterations: maxIterations }
}
