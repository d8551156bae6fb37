/**
 * Conjugate prior of a MAP estimate. The defaults are the maximum-likelihood estimate with a variance floor.
 * Dirichlet on the weights, Normal-Inverse-Wishart on gaussian components (Murphy 2012, §11.4.2.8).
 */
export interface Prior {
  /** Dirichlet pseudo-events added to each component's weight (α_k − 1), ≥ 0. */
  readonly weightPseudoEvents: number
  /** κ0: pseudo-events that pull a mean to the overall mean, ≥ 0. */
  readonly meanPseudoEvents: number
  /** ν0: pseudo-events that pull a covariance to the overall (diagonal) variance, ≥ 0. */
  readonly covariancePseudoEvents: number
  /** Least eigenvalue of a covariance, as a share of the overall variance of the feature, > 0 or 0 for none. */
  readonly varianceFloor: number
}

/** The prior that counts for as much beside mean statistics as `prior` does beside the sum over `events` events. */
export function perUnitWeight(prior: Prior, events: number): Prior {
  return {
    weightPseudoEvents: prior.weightPseudoEvents / events,
    meanPseudoEvents: prior.meanPseudoEvents / events,
    covariancePseudoEvents: prior.covariancePseudoEvents / events,
    varianceFloor: prior.varianceFloor,
  }
}
