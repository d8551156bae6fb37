import { logGamma } from '../../numerics/special.ts'

/** The smallest and largest size r as powers of 2: 1/64 is nearly all zeros and a few huge counts, 16384 nearly Poisson. */
const LEAST_POWER = -6
const MOST_POWER = 14

/** Sizes for which statistics are kept: each twice the one before. */
export const SIZES = Float64Array.from({ length: MOST_POWER - LEAST_POWER + 1 }, (_, g) => 2 ** (LEAST_POWER + g))
export const LARGEST_SIZE = SIZES.at(-1)!

/** Whole numbers below this have their values in a table. */
const TABLED = 256

/** log Γ(x + r) − log Γ(r) − x log r = Σ_{i < x} log(1 + i/r) for x ≥ 0, nats: 0 for a Poisson distribution, r → ∞. */
export function logRising(x: number, r: number): number {
  if (x < 16 && Number.isInteger(x)) {
    let product = 1
    for (let i = 1; i < x; i++) product *= 1 + i / r
    return Math.log(product)
  }
  return logGamma(x + r) - logGamma(r) - x * Math.log(r)
}

const TABLE = new Float64Array(TABLED * SIZES.length).fill(Number.NaN)

/** `logRising` of x and each of the sizes. @param out written to, shape (SIZES) */
export function logRisings(x: number, out: Float64Array): void {
  const G = SIZES.length
  const tabled = x < TABLED && Number.isInteger(x)
  if (tabled && !Number.isNaN(TABLE[x * G]!)) {
    for (let g = 0; g < G; g++) out[g] = TABLE[x * G + g]!
    return
  }
  for (let g = 0; g < G; g++) out[g] = logRising(x, SIZES[g]!)
  if (tabled) TABLE.set(out.subarray(0, G), x * G)
}

/** Points that the polynomial goes through. */
const WINDOW = 5

/**
 * The size of the largest value of a smooth function that is known at `SIZES`: the maximum, beside the best of these, of the polynomial of
 * degree 4 in log r through the five nearest. For negative-binomial likelihoods this is within 2e-5 nats an event of the maximum over all
 * sizes in the grid's range, for means from .05 to 10,000. Of equal values the largest size wins: what cannot be told from Poisson is Poisson.
 * @param values shape (SIZES)
 */
export function bestSize(values: Float64Array): number {
  const G = SIZES.length
  let best = G - 1
  for (let g = G - 2; g >= 0; g--) if (values[g]! > values[best]!) best = g
  const first = Math.min(Math.max(best - (WINDOW >> 1), 0), G - WINDOW)
  const at = (t: number) => interpolated(values, first, t)
  const low = Math.max(best - first - 1, 0)
  const high = Math.min(best - first + 1, WINDOW - 1)
  return 2 ** (LEAST_POWER + first + largest(at, low, high))
}

/** A smooth function known at `SIZES`, at a size between them: the polynomial of degree 4 in log r through the five nearest. */
export function valueAtSize(values: Float64Array, size: number): number {
  const place = Math.log2(size) - LEAST_POWER
  const first = Math.min(Math.max(Math.round(place) - (WINDOW >> 1), 0), SIZES.length - WINDOW)
  return values[first]! + interpolated(values, first, place - first)
}

/** The polynomial through values[first + i] at t = i, i = 0 … 4 (Lagrange), less values[first]. */
function interpolated(values: Float64Array, first: number, t: number): number {
  let sum = 0
  for (let i = 0; i < WINDOW; i++) {
    let factor = 1
    for (let j = 0; j < WINDOW; j++) if (j !== i) factor *= (t - j) / (i - j)
    sum += factor * (values[first + i]! - values[first]!)
  }
  return sum
}

const GOLDEN = (Math.sqrt(5) - 1) / 2

/** Where a function with one maximum in [low, high] has it, to 1e-7 of the width (golden section). An end that is as good wins. */
function largest(f: (t: number) => number, low: number, high: number): number {
  const [left, right] = [low, high]
  let a = high - GOLDEN * (high - low)
  let b = low + GOLDEN * (high - low)
  let [fa, fb] = [f(a), f(b)]
  for (let i = 0; i < 34; i++) {
    if (fa > fb) {
      high = b
      b = a
      fb = fa
      a = high - GOLDEN * (high - low)
      fa = f(a)
    } else {
      low = a
      a = b
      fa = fb
      b = low + GOLDEN * (high - low)
      fb = f(b)
    }
  }
  const middle = (low + high) / 2
  const within = f(middle)
  if (f(right) >= within) return right
  return f(left) > within ? left : middle
}
