import { freeParameters } from '../model/create-mixture.ts'
import type { ModelSpecification } from '../model/specification.ts'

/** How much worse new events are explained than was expected. */
export interface Surprise {
  /** the least of an event before it is learned, nats per unit weight, user's units; not finite while nothing is known */
  readonly expectedLogLikelihood: number
  /** Σ of what events fell short of it since the components were judged last, nats, ≥ 0: a CUSUM (Page 1954) */
  readonly surprise: number
  /** weight that had been learned then */
  readonly judgedWeight: number
}

/** Events that components are learned anew from, and judged on. */
export const REVISION_SAMPLE = 16_384

/** What an event may fall short without being a surprise, nats. */
const SLACK = 0.05

/** After a judgement the next one waits for this much more, as a share of what had been learned. */
const PATIENCE = 0.25

/** The least that is expected of new events where others had this mean log-likelihood: an expectation is an estimate itself. */
export const leastExpected = (mean: number, standardError: number): number => mean - 2 * standardError

/** After a batch whose events had this log-likelihood in all before they were learned, nats, user's units. */
export function surprisedBy(state: Surprise, logLikelihood: number, weight: number): Surprise {
  const { expectedLogLikelihood, surprise, judgedWeight } = state
  if (!Number.isFinite(expectedLogLikelihood))
    return { expectedLogLikelihood: logLikelihood / weight, surprise: 0, judgedWeight }
  const shortfall = (expectedLogLikelihood - SLACK) * weight - logLikelihood
  return { expectedLogLikelihood, surprise: Math.max(0, surprise + shortfall), judgedWeight }
}

/**
 * Whether the components should be learned anew and judged against these: while all that has been learned fits into the sample for that, whenever it has
 * doubled, because the first events alone do not show where the best maximum of all is; later where events have cost so many nats more
 * than expected that another component would have paid for its parameters, ½ p log n (Schwarz 1978), and enough of them have come
 * since the last time.
 * @param weight of all that has been learned
 */
export function isDue(specification: ModelSpecification, state: Surprise, weight: number): boolean {
  const { surprise, judgedWeight } = state
  if (judgedWeight < REVISION_SAMPLE && weight >= 2 * judgedWeight) return true
  const ofOne = freeParameters(specification) / specification.components
  return surprise > 0.5 * ofOne * Math.log(weight) && weight >= (1 + PATIENCE) * judgedWeight
}
