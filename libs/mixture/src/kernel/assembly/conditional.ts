// Conditional covariances of the columns that an event misses, given the others: Λ_MM⁻¹ with Λ = Σ⁻¹, for full and tied covariance.
import { log } from './elementary'
import { FULL, columns, components, covariance, deviation, factors, meanPitch, precisions } from './memory'

/** Of the conditional variances of a matrix's columns, each given those before it. */
const WORST_RATIO: f64 = 1e9
export const HALF_LOG_TWO_PI: f64 = 0.9189385332046727

/** Number of covariance matrices. */
// @ts-ignore: decorator
@inline
export function matrices(): i32 {
  return covariance == FULL ? components : 1
}

/**
 * Λ = L⁻ᵀ L⁻¹ of each matrix, rows of padded d; NaN where a column hardly varies beside the others: Λ would lose as many digits as
 * that ratio has. Such events are left to the reference, which takes Σ apart anew for each pattern.
 */
export function formPrecisions(): void {
  const size = <usize>columns * meanPitch
  memory.fill(precisions, 0, <usize>matrices() * size)
  let from = factors
  for (let k = 0; k < matrices(); k++) {
    const out = precisions + <usize>k * size
    memory.fill(deviation, 0, meanPitch)
    let least = Infinity
    let most = 0.0
    for (let r = 0; r < columns; r++) {
      const bytes = <usize>(r + 1) << 3
      memory.copy(deviation, from, bytes)
      from += bytes
      const diagonal = load<f64>(deviation + bytes - 8)
      least = min(least, diagonal)
      most = max(most, diagonal)
      let to = out
      for (let i: usize = 0; i < bytes; i += 8, to += meanPitch) {
        const l = v128.load64_splat(deviation + i)
        for (let j: usize = 0; j < bytes; j += 16)
          v128.store(to + j, f64x2.add(v128.load(to + j), f64x2.mul(l, v128.load(deviation + j))))
      }
    }
    if (!(most * most < WORST_RATIO * least * least))
      for (let at = out; at < out + size; at += 8) store<f64>(at, NaN)
  }
}

/**
 * C = Λ_MM⁻¹ of one matrix, by its Cholesky factor R and T = R⁻¹.
 * @param list the m columns
 * @param out written to: packed lower triangle
 * @returns −½ log |Λ_MM| + ½ m log 2π, nats: what the marginal's log density has more than one of all columns; NaN if Λ_MM is singular
 */
export function conditional(k: i32, list: usize, m: i32, out: usize): f64 {
  const square = precisions + <usize>k * <usize>columns * meanPitch
  let rowI = out
  let product = 1.0
  let logs = 0.0
  for (let i = 0; i < m; i++) {
    const from = square + <usize>load<u64>(list + (<usize>i << 3)) * meanPitch
    let rowJ = out
    for (let j = 0; j <= i; j++) {
      let sum = load<f64>(from + (<usize>load<u64>(list + (<usize>j << 3)) << 3))
      for (let a: usize = 0; a < <usize>j << 3; a += 8) sum -= load<f64>(rowI + a) * load<f64>(rowJ + a)
      if (j < i) store<f64>(rowI + (<usize>j << 3), sum / load<f64>(rowJ + (<usize>j << 3)))
      else {
        if (!(sum > 0 && sum < Infinity)) return NaN
        const root = sqrt(sum)
        store<f64>(rowI + (<usize>i << 3), root)
        product *= root
        if (!(product > 1e-100 && product < 1e100) || i + 1 == m) {
          logs += f64x2.extract_lane(log(f64x2.splat(product)), 0)
          product = 1
        }
      }
      rowJ += <usize>(j + 1) << 3
    }
    rowI += <usize>(i + 1) << 3
  }
  // T in R's place, column by column; then C_ab = Σ_i≥a T_ia T_ib, b ≤ a, row by row: later rows of T are still there.
  for (let j = 0; j < m; j++) {
    const diagonal = at(out, j, j)
    store<f64>(diagonal, 1 / load<f64>(diagonal))
    for (let i = j + 1; i < m; i++) {
      let sum = 0.0
      for (let a = j; a < i; a++) sum += load<f64>(at(out, i, a)) * load<f64>(at(out, a, j))
      store<f64>(at(out, i, j), -sum / load<f64>(at(out, i, i)))
    }
  }
  for (let a = 0; a < m; a++)
    for (let b = 0; b <= a; b++) {
      let sum = 0.0
      for (let i = a; i < m; i++) sum += load<f64>(at(out, i, a)) * load<f64>(at(out, i, b))
      store<f64>(at(out, a, b), sum)
    }
  return <f64>m * HALF_LOG_TWO_PI - logs
}

/** Address of entry (i, j), j ≤ i, of a packed lower triangle. */
// @ts-ignore: decorator
@inline
export function at(matrix: usize, i: i32, j: i32): usize {
  return matrix + (<usize>(((i * (i + 1)) >> 1) + j) << 3)
}
