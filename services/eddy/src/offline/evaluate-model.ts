import { freeParameters, indexOfLargest, type Kernel, type Model, scoreModel } from '@eddy/mixture'
import type { FeatureRows } from '@eddy/records'

/** How well a model describes events. */
export interface Evaluation {
  readonly events: number
  /** Σ weights */
  readonly weight: number
  /** nats per unit weight, user's units */
  readonly meanLogLikelihood: number
  readonly logLikelihood: number
  /** free parameters */
  readonly parameters: number
  /** 2 p − 2 log L */
  readonly aic: number
  /** p log n − 2 log L, n = weight */
  readonly bic: number
  /** mean entropy of the posterior, nats: 0 where every event has one segment for certain */
  readonly meanEntropy: number
  readonly segments: readonly SegmentShare[]
}

export interface SegmentShare {
  readonly segment: string
  /** share of the weight whose largest posterior it is */
  readonly share: number
  /** mean posterior */
  readonly occupancy: number
}

/** Id of component k in an offline model. */
export const segmentId = (k: number): string => `s${k + 1}`

/** Scores every batch; only sums are kept. */
export async function evaluateModel(
  model: Model,
  batches: AsyncIterable<FeatureRows>,
  kernel?: Kernel,
): Promise<Evaluation> {
  const { components: K, features } = model.specification
  const shares = new Float64Array(K)
  const occupancies = new Float64Array(K)
  let events = 0
  let weight = 0
  let logLikelihood = 0
  let entropy = 0
  for await (const { rows, values, weights } of batches) {
    const { posterior, logDensity } = scoreModel(model, { rows, columns: features.length, values }, kernel)
    for (let n = 0; n < rows; n++) {
      const w = weights[n]!
      weight += w
      logLikelihood += w * logDensity[n]!
      shares[indexOfLargest(posterior, n * K, K)]! += w
      for (let k = 0; k < K; k++) {
        const p = posterior[n * K + k]!
        occupancies[k]! += w * p
        if (p > 0) entropy -= w * p * Math.log(p)
      }
    }
    events += rows
  }
  const parameters = freeParameters(model.specification)
  return {
    events,
    weight,
    meanLogLikelihood: logLikelihood / weight,
    logLikelihood,
    parameters,
    aic: 2 * parameters - 2 * logLikelihood,
    bic: parameters * Math.log(weight) - 2 * logLikelihood,
    meanEntropy: entropy / weight,
    segments: Array.from(shares, (share, k) => ({
      segment: segmentId(k),
      share: share / weight,
      occupancy: occupancies[k]! / weight,
    })),
  }
}
