/**
 * Yeo & Johnson (2000): a power transform for numbers of either sign, increasing, with f(0) = 0 and f'(0) = 1.
 * x ≥ 0: ((x+1)^λ − 1)/λ, log(x+1) at λ = 0; x < 0: −((1−x)^(2−λ) − 1)/(2−λ), −log(1−x) at λ = 2.
 */
export function yeoJohnson(x: number, lambda: number): number {
  return x >= 0 ? boxCox(Math.log1p(x), lambda) : -boxCox(Math.log1p(-x), 2 - lambda)
}

/** The inverse of `yeoJohnson` in x. Beyond the end of a bounded range (λ < 0 or λ > 2): ±∞. */
export function yeoJohnsonInverse(y: number, lambda: number): number {
  return y >= 0 ? inverseBoxCox(y, lambda) : -inverseBoxCox(-y, 2 - lambda)
}

/** log f'(x), nats. */
export function yeoJohnsonLogDerivative(x: number, lambda: number): number {
  return x >= 0 ? (lambda - 1) * Math.log1p(x) : (1 - lambda) * Math.log1p(-x)
}

/** (e^(λ u) − 1)/λ, u at λ = 0. */
function boxCox(u: number, lambda: number): number {
  return Math.abs(lambda) < 1e-12 ? u : Math.expm1(lambda * u) / lambda
}

function inverseBoxCox(y: number, lambda: number): number {
  if (Math.abs(lambda) < 1e-12) return Math.expm1(y)
  const inside = lambda * y
  return inside <= -1 ? Infinity : Math.expm1(Math.log1p(inside) / lambda)
}

/** Where the search for λ begins, and beyond what |λ| it ends: there the bend is a step as far as doubles can tell. */
const FIRST_RANGE = [-2, 4] as const
const LARGEST_POWER = 1e6

/** Whether the search for λ ended because it had gone far enough, not because the likelihood had its maximum there. */
export const endedAtBound = (lambda: number): boolean => Math.abs(lambda) > 0.999 * LARGEST_POWER

/**
 * λ of greatest likelihood for a normal distribution of f(x) (as scikit-learn's PowerTransformer), by golden-section
 * search over [−2, 4], and over ranges ten times as wide for as long as the best λ is at an end of one (small numbers, all much less
 * than 1, are bent by large λ only). 1 (no change) for a constant or empty sample.
 * @param weights shape (n), > 0
 */
export function estimateYeoJohnson(values: Float64Array, weights: Float64Array): number {
  const objective = (lambda: number) => logLikelihood(values, weights, lambda)
  if (!Number.isFinite(objective(1))) return 1
  let [low, high]: readonly [number, number] = FIRST_RANGE
  for (;;) {
    const lambda = goldenSection(objective, low, high)
    if (!Number.isFinite(objective(lambda))) return 1
    const margin = 1e-3 * (high - low)
    const atEnd = lambda < low + margin || lambda > high - margin
    if (!atEnd || endedAtBound(lambda)) return lambda
    ;[low, high] =
      lambda < low + margin
        ? [Math.max(10 * low, -LARGEST_POWER), low / 2]
        : [high / 2, Math.min(10 * high, LARGEST_POWER)]
  }
}

/** The place of a function's largest value between two places, to 1e-8 of what lies between. */
function goldenSection(objective: (x: number) => number, from: number, to: number): number {
  const ratio = (Math.sqrt(5) - 1) / 2
  const precision = 1e-8 * Math.max(1, (to - from) / 6)
  let low = from
  let high = to
  let left = high - ratio * (high - low)
  let right = low + ratio * (high - low)
  let atLeft = objective(left)
  let atRight = objective(right)
  while (high - low > precision) {
    if (atLeft >= atRight) {
      high = right
      right = left
      atRight = atLeft
      left = high - ratio * (high - low)
      atLeft = objective(left)
    } else {
      low = left
      left = right
      atLeft = atRight
      right = low + ratio * (high - low)
      atRight = objective(right)
    }
  }
  return (low + high) / 2
}

/** Mean profile log-likelihood of λ (mean and variance at their best), nats; −∞ where the transform collapses. */
function logLikelihood(values: Float64Array, weights: Float64Array, lambda: number): number {
  let weight = 0
  let mean = 0
  let square = 0
  let jacobian = 0
  for (let n = 0; n < values.length; n++) {
    const y = yeoJohnson(values[n]!, lambda)
    const w = weights[n]!
    weight += w
    const before = y - mean
    mean += (w / weight) * before
    square += w * before * (y - mean)
    jacobian += w * yeoJohnsonLogDerivative(values[n]!, lambda)
  }
  const variance = square / weight
  if (!(variance > 1e-24 * mean * mean && variance < Infinity)) return -Infinity
  return jacobian / weight - 0.5 * Math.log(variance)
}
