/** How γ falls with the weight that has been learned, as plain data. */
export interface StepSizeSpecification {
  /** α, 0.5 < α ≤ 1 */
  readonly exponent: number
  /** t0 ≥ 0, in weight (events of weight 1): what the start counts for beside its own weight */
  readonly offset: number
  /** h > 0, weight (events of weight 1) after which an event counts half; without it the past is never forgotten */
  readonly halfLife?: number
}

/**
 * γ of a batch of weight m after a weight of n: 1 − exp(−∫ max((u + t0)^−α, ln 2 / h) du) with u from n to n + m, the continuous form of
 * a step (t + t0)^−α an event. What an event counts for therefore does not depend on how the stream was cut into batches: the shares
 * 1 − γ that the past keeps multiply to the same share. α = 1 and t0 = 0 give γ = m / (n + m), the weighted mean.
 * Stepwise EM converges where Σγ = ∞ and Σγ² < ∞, that is for 0.5 < α ≤ 1 (Robbins & Monro 1951; Cappé & Moulines 2009,
 * assumption 1); a smaller α forgets the early, bad parameters faster. With a half-life γ ≥ 1 − 2^(−m/h): the estimate then keeps
 * moving, with a variance of order γ, which is the price of following a stream that drifts.
 * @param weight n ≥ 0; of nothing learned yet the batch is all there is: γ = 1
 * @param batchWeight m > 0
 */
export function stepSize(specification: StepSizeSpecification, weight: number, batchWeight: number): number {
  if (!(weight > 0)) return 1
  const { exponent, offset, halfLife } = specification
  const from = weight + offset
  if (halfLife === undefined) return -Math.expm1(-fallingRate(exponent, from, batchWeight))
  const least = Math.LN2 / halfLife
  // From this weight on the half-life's rate is the larger one.
  const falling = Math.min(Math.max(least ** (-1 / exponent) - from, 0), batchWeight)
  return -Math.expm1(-fallingRate(exponent, from, falling) - least * (batchWeight - falling))
}

/** ∫ u^−α du from `from` on over `length`, without cancellation where the length is a tiny part of `from`. */
function fallingRate(exponent: number, from: number, length: number): number {
  const growth = Math.log1p(length / from)
  const rest = 1 - exponent
  return rest === 0 ? growth : (from ** rest * Math.expm1(rest * growth)) / rest
}
