// Elementary functions on two lanes, in nats. Plain f64 arithmetic only, so that every machine gives the same bits.

/** 1.5 · 2^52: adding it rounds a double to the nearest integer and leaves that integer in the low bits. */
const ROUND: f64 = 6755399441055744.0
/** ln 2 in two parts (Cody & Waite 1980): the first has 21 trailing zero bits, so n · LN2_HIGH is exact. */
const LN2_HIGH: f64 = 6.93147180369123816490e-1
const LN2_LOW: f64 = 1.90821492927058770002e-10

/**
 * exp's constants lie in memory and are loaded once before a loop: an engine writes a literal anew, in three instructions, at
 * every use. From index 5 on: Q's coefficients, lowest power first.
 */
const EXP_TABLE: usize = memory.data<f64>([
  ROUND, 1.4426950408889634, LN2_HIGH, LN2_LOW, 0.0,
  0.5, 0.16666666666666669, 0.041666666666623824, 0.008333333333330039, 0.0013888888917367081,
  0.00019841269863171557, 2.4801521057868204e-5, 2.7557268276905696e-6, 2.7620201591031547e-7, 2.5100472505694996e-8,
  1.0,
])

// @ts-ignore: decorator
@inline
export function expConstant(i: usize): v128 {
  return v128.load64_splat(EXP_TABLE + (i << 3))
}

/**
 * exp(x) for x ≤ 0 (also a little above), relative error < 2e-16; 0 where x ≤ underflow ≥ −708.
 * exp(x) = 2^n exp(r), |r| ≤ ln2/2, and exp(r) = 1 + r + r² Q(r) with Q of degree 9 interpolating at the Chebyshev nodes
 * (relative error 1.6e-17), evaluated by Estrin's scheme. The other arguments but `underflow` are `expConstant(0 … 3, 5 … 15)`.
 */
// @ts-ignore: decorator
@inline
export function exp(
  x: v128,
  round: v128, log2e: v128, high: v128, low: v128, underflow: v128,
  c0: v128, c1: v128, c2: v128, c3: v128, c4: v128, c5: v128, c6: v128, c7: v128, c8: v128, c9: v128,
  one: v128,
): v128 {
  const shifted = f64x2.add(f64x2.mul(x, log2e), round)
  const n = f64x2.sub(shifted, round)
  const r = f64x2.sub(f64x2.sub(x, f64x2.mul(n, high)), f64x2.mul(n, low))
  const r2 = f64x2.mul(r, r)
  const r4 = f64x2.mul(r2, r2)
  const q0 = f64x2.add(f64x2.mul(r, c1), c0)
  const q2 = f64x2.add(f64x2.mul(r, c3), c2)
  const q4 = f64x2.add(f64x2.mul(r, c5), c4)
  const q6 = f64x2.add(f64x2.mul(r, c7), c6)
  const q8 = f64x2.add(f64x2.mul(r, c9), c8)
  const a = f64x2.add(f64x2.mul(q2, r2), q0)
  const b = f64x2.add(f64x2.mul(q6, r2), q4)
  const q = f64x2.add(f64x2.mul(f64x2.add(f64x2.mul(q8, r4), b), r4), a)
  const p = f64x2.add(f64x2.add(f64x2.mul(q, r2), r), one)
  return v128.and(i64x2.add(p, i64x2.shl(shifted, 52)), f64x2.gt(x, underflow))
}

/**
 * ln(x) for normal x > 0, error < 1 ulp: x = 2^k (1+f), ln(1+f) = f − f²/2 + s (f²/2 + R(s²)), s = f/(2+f)
 * (fdlibm's e_log.c, Sun Microsystems 1993).
 */
// @ts-ignore: decorator
@inline
export function log(x: v128): v128 {
  // Shift the mantissa into [√½, √2): the bits of √½ are the pivot.
  const pivot = i64x2.splat(0x3fe6a09e667f3bcd)
  const offset = i64x2.sub(x, pivot)
  const exponent = i64x2.shr_s(offset, 52)
  const mantissa = i64x2.add(v128.and(offset, i64x2.splat(0x000fffffffffffff)), pivot)
  // An integer below 2^51 in magnitude becomes a double by adding it to the bits of 1.5 · 2^52.
  const k = f64x2.sub(i64x2.add(exponent, f64x2.splat(ROUND)), f64x2.splat(ROUND))
  const f = f64x2.sub(mantissa, f64x2.splat(1.0))
  const s = f64x2.div(f, f64x2.add(f, f64x2.splat(2.0)))
  const z = f64x2.mul(s, s)
  const w = f64x2.mul(z, z)
  const even = f64x2.mul(
    w,
    f64x2.add(
      f64x2.mul(
        w,
        f64x2.add(f64x2.mul(w, f64x2.splat(1.531383769920937332e-1)), f64x2.splat(2.222219843214978396e-1)),
      ),
      f64x2.splat(3.999999999940941908e-1),
    ),
  )
  const odd = f64x2.mul(
    z,
    f64x2.add(
      f64x2.mul(
        w,
        f64x2.add(
          f64x2.mul(
            w,
            f64x2.add(f64x2.mul(w, f64x2.splat(1.479819860511658591e-1)), f64x2.splat(1.818357216161805012e-1)),
          ),
          f64x2.splat(2.857142874366239149e-1),
        ),
      ),
      f64x2.splat(6.666666666666735130e-1),
    ),
  )
  const half = f64x2.mul(f64x2.mul(f, f), f64x2.splat(0.5))
  const tail = f64x2.add(
    f64x2.mul(s, f64x2.add(half, f64x2.add(even, odd))),
    f64x2.mul(k, f64x2.splat(LN2_LOW)),
  )
  return f64x2.add(f64x2.mul(k, f64x2.splat(LN2_HIGH)), f64x2.sub(f, f64x2.sub(half, tail)))
}
