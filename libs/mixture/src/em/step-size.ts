/** How γ_t falls, as plain data: γ_t = max((t + offset)^−exponent, floor from the half-life). */
export interface StepSizeSpecification {
  /** α, 0.5 < α ≤ 1 */
  readonly exponent: number
  /** t0 ≥ 0: the number of batches that the starting statistics count for */
  readonly offset: number
  /** h > 0, events (unit weight) after which an event counts half; without it the past is never forgotten */
  readonly halfLife?: number
}

/**
 * (t + t0)^−α for update t = 1, 2, …
 * Stepwise EM converges where Σγ = ∞ and Σγ² < ∞, that is for 0.5 < α ≤ 1 (Robbins & Monro 1951; Cappé & Moulines 2009,
 * assumption 1). α = 1, t0 = 0 weighs all batches alike; a smaller α forgets the early, bad parameters faster.
 */
export function polynomialStepSize(step: number, exponent: number, offset: number): number {
  return Math.min(1, (step + offset) ** -exponent)
}

/**
 * 1 − 2^(−m/h): the constant step under which a batch of weight m fades to one half after a further weight h.
 * Constant steps do not converge (Σγ² = ∞): the estimate keeps moving, with a variance of order γ, which is the price of
 * following a stream that drifts.
 */
export function halfLifeStepSize(batchWeight: number, halfLife: number): number {
  return -Math.expm1((-batchWeight / halfLife) * Math.LN2)
}

/** γ_t of a specification for update t = 1, 2, … with a batch of the given weight. */
export function stepSize(specification: StepSizeSpecification, step: number, batchWeight: number): number {
  const gamma = polynomialStepSize(step, specification.exponent, specification.offset)
  return specification.halfLife === undefined
    ? gamma
    : Math.max(gamma, halfLifeStepSize(batchWeight, specification.halfLife))
}
