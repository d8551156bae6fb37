// From log densities to posterior probabilities by log-sum-exp, events in lanes.
import { exp, expConstant, log } from './elementary'
import {
  DENSITY_PITCH,
  activeRows,
  blockWeights,
  components,
  countActive,
  densities,
  largest,
  logDensity,
  posterior,
  statistics,
  sums,
} from './memory'

/** Below it exp(x) is taken as 0 if nothing is negligible (the smallest normal number is exp(−708.396…)). */
export const EXP_UNDERFLOW: f64 = -708.0

/** The largest density of each event of a block, to `largest`. `pmax` is the machine's own maximum; `max` would cost three more instructions for −0 and NaN. */
export function maxima(rows: i32): void {
  const bytes = <usize>components * DENSITY_PITCH
  const last = densities + (<usize>rows << 3)
  let to = largest
  for (let begin = densities; begin < last; begin += 32, to += 32) {
    const end = begin + bytes
    let m0 = v128.load(begin)
    let m1 = v128.load(begin, 16)
    for (let p = begin + DENSITY_PITCH; p < end; p += DENSITY_PITCH) {
      m0 = f64x2.pmax(m0, v128.load(p))
      m1 = f64x2.pmax(m1, v128.load(p, 16))
    }
    v128.store(to, m0)
    v128.store(to, m1, 16)
  }
}

/**
 * Densities of a block become exp(l_k − max), or 0 where l_k − max ≤ cut, events in lanes; the maxima go to `largest`, Σ_k exp(l_k − max) to `sums`.
 * One component after the other, with the sums in memory: with them in registers too, the machine would have to put away constants.
 */
function exponentials(rows: i32, cut: f64): void {
  maxima(rows)
  const round = expConstant(0)
  const log2e = expConstant(1)
  const high = expConstant(2)
  const low = expConstant(3)
  const underflow = f64x2.splat(cut)
  const c0 = expConstant(5)
  const c1 = expConstant(6)
  const c2 = expConstant(7)
  const c3 = expConstant(8)
  const c4 = expConstant(9)
  const c5 = expConstant(10)
  const c6 = expConstant(11)
  const c7 = expConstant(12)
  const c8 = expConstant(13)
  const c9 = expConstant(14)
  const one = expConstant(15)
  const sparse = cut > EXP_UNDERFLOW
  const bytes = <usize>((rows + 3) & ~3) << 3
  memory.fill(sums, 0, bytes)
  for (let k = 0; k < components; k++) {
    let p = densities + <usize>k * DENSITY_PITCH
    const end = p + bytes
    let m = largest
    let s = sums
    for (; p < end; p += 32, m += 32, s += 32) {
      const x0 = f64x2.sub(v128.load(p), v128.load(m))
      const x1 = f64x2.sub(v128.load(p, 16), v128.load(m, 16))
      if (sparse && !v128.any_true(v128.or(f64x2.gt(x0, underflow), f64x2.gt(x1, underflow)))) {
        v128.store(p, f64x2.splat(0))
        v128.store(p, f64x2.splat(0), 16)
        continue
      }
      const e0 = exp(x0, round, log2e, high, low, underflow, c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, one)
      v128.store(p, e0)
      v128.store(s, f64x2.add(v128.load(s), e0))
      const e1 = exp(x1, round, log2e, high, low, underflow, c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, one)
      v128.store(p, e1, 16)
      v128.store(s, f64x2.add(v128.load(s, 16), e1), 16)
    }
  }
}

/**
 * Densities of a block become exp(l_k − max), and `blockWeights` the factors w / Σ_k that make them responsibilities.
 * Unweighted, the logarithms of the sums are taken once a block, of their product (a sum is at least 1 and at most K).
 * @returns Σ_n w_n log p(x_n) in nats; not finite if an event has a missing value or is too far away for f64
 */
export function responsibilities(rows: i32, weighted: bool, cut: f64): f64 {
  exponentials(rows, cut)
  const one = f64x2.splat(1)
  const zero = f64x2.splat(0)
  let total = zero
  let product = one
  const end = <usize>rows << 3
  for (let at: usize = 0; at < end; at += 16) {
    const m = v128.load(largest + at)
    const s = v128.load(sums + at)
    const w = v128.load(blockWeights + at)
    if (weighted) total = f64x2.add(total, f64x2.mul(w, f64x2.add(m, log(s))))
    else {
      total = f64x2.add(total, f64x2.mul(w, m))
      product = f64x2.mul(product, v128.bitselect(s, one, f64x2.gt(w, zero)))
    }
    v128.store(blockWeights + at, f64x2.div(w, s))
  }
  if (!weighted) total = f64x2.add(total, log(product))
  return f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1)
}

/** Normalises component k's row after `responsibilities`, and adds its sum to s0_k. */
export function normalise(k: i32, rows: i32): void {
  let sum = f64x2.splat(0)
  let p = densities + <usize>k * DENSITY_PITCH
  let f = blockWeights
  const end = f + (<usize>((rows + 3) & ~3) << 3)
  for (; f < end; f += 32, p += 32) {
    const r0 = f64x2.mul(v128.load(p), v128.load(f))
    const r1 = f64x2.mul(v128.load(p, 16), v128.load(f, 16))
    v128.store(p, r0)
    v128.store(p, r1, 16)
    sum = f64x2.add(sum, f64x2.add(r0, r1))
  }
  const at = statistics + (<usize>k << 3)
  store<f64>(at, load<f64>(at) + f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1))
}

/** Lists the rows in which component k's responsibility is not 0. @returns their number */
export function listActive(k: i32, rows: i32): i32 {
  let p = densities + <usize>k * DENSITY_PITCH
  let count: usize = 0
  for (let n = 0; n < rows; n++, p += 8) {
    store<u32>(activeRows + (count << 2), <u32>n)
    count += <usize>(load<f64>(p) != 0)
  }
  countActive(<f64>count)
  return <i32>count
}

/**
 * Writes the posterior probabilities (rows, K) row-major and log p(x_n) of a block to the outputs.
 * @returns Σ_n log p(x_n) over the block
 */
export function writePosterior(row: i32, rows: i32, cut: f64): f64 {
  exponentials(rows, cut)
  const one = f64x2.splat(1)
  const pitch = (<usize>components) << 3
  const last = (<usize>components - 1) * DENSITY_PITCH
  let total = f64x2.splat(0)
  const density = logDensity + (<usize>row << 3)
  const end = <usize>rows << 3
  for (let at: usize = 0; at < end; at += 16) {
    const s = v128.load(sums + at)
    const l = f64x2.add(v128.load(largest + at), log(s))
    total = f64x2.add(total, f64x2.mul(v128.load(blockWeights + at), l))
    v128.store(density + at, l)
    const f = f64x2.div(one, s)
    let out = posterior + <usize>row * pitch + (at >> 3) * pitch
    let p = densities + at
    const until = p + last
    for (; p < until; p += 2 * DENSITY_PITCH, out += 16) {
      const a = f64x2.mul(v128.load(p), f)
      const b = f64x2.mul(v128.load(p, 512), f)
      v128.store(out, v128.shuffle<f64>(a, b, 0, 2))
      v128.store(out + pitch, v128.shuffle<f64>(a, b, 1, 3))
    }
    if (p == until) {
      const a = f64x2.mul(v128.load(p), f)
      v128.store64_lane(out, a, 0)
      v128.store64_lane(out + pitch, a, 1)
    }
  }
  return f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1)
}

/** Least log density, in nats, so that sums stay finite. */
const LOWEST_LOG_DENSITY: f64 = -1e300

/** Writes a block's log densities to `posterior`, (rows, K) row-major. @returns their sum: NaN if one is */
export function writeDensities(row: i32, rows: i32): f64 {
  let total = 0.0
  for (let k = 0; k < components; k++) {
    let p = densities + <usize>k * DENSITY_PITCH
    let out = posterior + ((<usize>row * <usize>components + <usize>k) << 3)
    for (let n = 0; n < rows; n++, p += 8, out += (<usize>components) << 3) {
      const l = load<f64>(p)
      const bounded = l < LOWEST_LOG_DENSITY ? LOWEST_LOG_DENSITY : l
      store<f64>(out, bounded)
      total += bounded
    }
  }
  return total
}

/**
 * Fills a block's `densities` with the responsibilities in `posterior` (rows, K), adds their sums to s0, and sets
 * `blockWeights` to each event's sum; zeros behind the last row up to a multiple of 4.
 */
export function readResponsibilities(row: i32, rows: i32): void {
  memory.fill(blockWeights, 0, DENSITY_PITCH)
  const padding = <usize>((rows + 3) & ~3) << 3
  for (let k = 0; k < components; k++) {
    let p = densities + <usize>k * DENSITY_PITCH
    const end = p + padding
    let w = blockWeights
    let from = posterior + ((<usize>row * <usize>components + <usize>k) << 3)
    let sum = 0.0
    for (let n = 0; n < rows; n++, p += 8, w += 8, from += (<usize>components) << 3) {
      const r = load<f64>(from)
      store<f64>(p, r)
      store<f64>(w, load<f64>(w) + r)
      sum += r
    }
    for (; p < end; p += 8) store<f64>(p, 0)
    const at = statistics + (<usize>k << 3)
    store<f64>(at, load<f64>(at) + sum)
  }
}
