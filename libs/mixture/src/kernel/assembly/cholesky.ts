// The M-step's matrices: covariances from statistics, Cholesky factors and their inverses, by tiles of 4 × 4.
import {
  choleskyPanels,
  columns,
  components,
  covariances,
  factors,
  overallMean,
  overallVariance,
  panels,
  solveTile,
  square,
  statistics,
  triangle,
} from './memory'
import { factorPanelsLength } from './triangular'

/** A pivot at or below this share of its diagonal entry is rounding noise: the matrix counts as singular. */
const PIVOT_TOLERANCE: f64 = 4 * 2.220446049250313e-16

/**
 * Σ_k = (S2 − s0 x̄ x̄ᵀ + κ s0/(κ+s0) (x̄−m0)(x̄−m0)ᵀ + ν diag(v)) / (s0 + ν) from the statistics, to `covariances`
 * (Murphy 2012, §4.6.3.2), moments about the reference.
 */
export function formCovariance(k: i32, kappa: f64, nu: f64): void {
  const weight = load<f64>(statistics + (<usize>k << 3))
  const first = statistics + (<usize>(components + k * columns) << 3)
  let second = statistics + (<usize>(components + components * columns + k * triangle) << 3)
  let out = covariances + (<usize>(k * triangle) << 3)
  const shrink = (kappa * weight) / (kappa + weight)
  // The means lie in the solve tile's place meanwhile: m_j, then m_j − m0_j.
  const mean = solveTile
  const deviation = solveTile + (<usize>panels << 5)
  for (let j: usize = 0; j < <usize>columns << 3; j += 8) {
    const m = load<f64>(first + j) / weight
    store<f64>(mean + j, m)
    store<f64>(deviation + j, m - load<f64>(overallMean + j))
  }
  const divisor = f64x2.splat(weight + nu)
  for (let i = 0; i < columns; i++) {
    const at = <usize>i << 3
    const a = f64x2.splat(weight * load<f64>(mean + at))
    const b = f64x2.splat(shrink * load<f64>(deviation + at))
    let j: usize = 0
    // The pair (i, i), (i+1, 0) overlaps the next row, which is written after this one.
    for (; j <= at; j += 16) {
      let value = f64x2.sub(v128.load(second + j), f64x2.mul(a, v128.load(mean + j)))
      if (kappa > 0) value = f64x2.add(value, f64x2.mul(b, v128.load(deviation + j)))
      v128.store(out + j, f64x2.div(value, divisor))
    }
    second += at + 8
    out += at + 8
    if (nu > 0) store<f64>(out - 8, load<f64>(out - 8) + (nu * load<f64>(overallVariance + at)) / (weight + nu))
  }
}

/**
 * Σ = L Lᵀ for the covariance of component k and its L⁻¹, to `factors`.
 * @returns Σ_ij (L⁻¹)²_ij v_j, the trace of V^½ Σ⁻¹ V^½, or −1 if Σ is not positive definite to working precision
 */
export function factorise(k: i32): f64 {
  const offset = <usize>(k * triangle) << 3
  return cholesky(covariances + offset) ? invert(factors + offset) : -1
}

/** Whether Σ − floor V is positive definite for component k: then no eigenvalue of V^−½ Σ V^−½ is below the floor. */
export function isAbove(k: i32, floor: f64): bool {
  memory.copy(square, covariances + (<usize>(k * triangle) << 3), <usize>triangle << 3)
  let diagonal = square
  for (let i: usize = 0; i < <usize>columns; i++) {
    store<f64>(diagonal, load<f64>(diagonal) - floor * load<f64>(overallVariance + (i << 3)))
    diagonal += (i + 2) << 3
  }
  return cholesky(square)
}

/**
 * Forward substitution L T = B for 4 right-hand sides side by side, rows of panels `from` ≤ panel < `to`, in place: 4 × 4
 * accumulators B − Σ_m L[·][m] T[m][·], then the diagonal block. Where `to` panels are done and `rest` is set, the panel at `to` gets
 * its sum subtracted only (the Schur complement of a diagonal block, the tile being its own factor).
 * @param tile [row][4], zeros above row 4·from
 */
function solve(tile: usize, from: i32, to: i32, rest: bool): void {
  const first = <usize>from << 7
  const start = tile + first
  const until = rest ? to + 1 : to
  for (let panel = from; panel < until; panel++) {
    const block = choleskyPanels + (<usize>factorPanelsLength(panel) << 3)
    const at = <usize>panel << 7
    const out = tile + at
    let a00 = v128.load(out)
    let a01 = v128.load(out, 16)
    let a10 = v128.load(out, 32)
    let a11 = v128.load(out, 48)
    let a20 = v128.load(out, 64)
    let a21 = v128.load(out, 80)
    let a30 = v128.load(out, 96)
    let a31 = v128.load(out, 112)
    let factor = block + first
    let l: v128
    for (let x = start; x < out; x += 32, factor += 32) {
      const x0 = v128.load(x)
      const x1 = v128.load(x, 16)
      l = v128.load64_splat(factor, 0)
      a00 = f64x2.sub(a00, f64x2.mul(l, x0))
      a01 = f64x2.sub(a01, f64x2.mul(l, x1))
      l = v128.load64_splat(factor, 8)
      a10 = f64x2.sub(a10, f64x2.mul(l, x0))
      a11 = f64x2.sub(a11, f64x2.mul(l, x1))
      l = v128.load64_splat(factor, 16)
      a20 = f64x2.sub(a20, f64x2.mul(l, x0))
      a21 = f64x2.sub(a21, f64x2.mul(l, x1))
      l = v128.load64_splat(factor, 24)
      a30 = f64x2.sub(a30, f64x2.mul(l, x0))
      a31 = f64x2.sub(a31, f64x2.mul(l, x1))
    }
    if (panel < to) {
      // The diagonal of L's blocks holds 1 / l_ii.
      l = v128.load64_splat(factor, 0)
      a00 = f64x2.mul(a00, l)
      a01 = f64x2.mul(a01, l)
      l = v128.load64_splat(factor, 8)
      a10 = f64x2.sub(a10, f64x2.mul(l, a00))
      a11 = f64x2.sub(a11, f64x2.mul(l, a01))
      l = v128.load64_splat(factor, 40)
      a10 = f64x2.mul(a10, l)
      a11 = f64x2.mul(a11, l)
      l = v128.load64_splat(factor, 16)
      a20 = f64x2.sub(a20, f64x2.mul(l, a00))
      a21 = f64x2.sub(a21, f64x2.mul(l, a01))
      l = v128.load64_splat(factor, 48)
      a20 = f64x2.sub(a20, f64x2.mul(l, a10))
      a21 = f64x2.sub(a21, f64x2.mul(l, a11))
      l = v128.load64_splat(factor, 80)
      a20 = f64x2.mul(a20, l)
      a21 = f64x2.mul(a21, l)
      l = v128.load64_splat(factor, 24)
      a30 = f64x2.sub(a30, f64x2.mul(l, a00))
      a31 = f64x2.sub(a31, f64x2.mul(l, a01))
      l = v128.load64_splat(factor, 56)
      a30 = f64x2.sub(a30, f64x2.mul(l, a10))
      a31 = f64x2.sub(a31, f64x2.mul(l, a11))
      l = v128.load64_splat(factor, 88)
      a30 = f64x2.sub(a30, f64x2.mul(l, a20))
      a31 = f64x2.sub(a31, f64x2.mul(l, a21))
      l = v128.load64_splat(factor, 120)
      a30 = f64x2.mul(a30, l)
      a31 = f64x2.mul(a31, l)
    }
    v128.store(out, a00)
    v128.store(out, a01, 16)
    v128.store(out, a10, 32)
    v128.store(out, a11, 48)
    v128.store(out, a20, 64)
    v128.store(out, a21, 80)
    v128.store(out, a30, 96)
    v128.store(out, a31, 112)
  }
}

/**
 * Cholesky factor of a packed lower triangle, to `choleskyPanels` (layout of triangular.ts; rows behind the last are the
 * identity's; the diagonal inverted). Row panel by row panel: four rows of L are the solution of L Lᵀ_rows = A_rows with four right-hand sides.
 */
function cholesky(matrix: usize): bool {
  for (let panel = 0; panel < panels; panel++) {
    const first = panel << 2
    const tile = choleskyPanels + (<usize>factorPanelsLength(panel) << 3)
    const block = tile + (<usize>first << 5)
    memory.fill(tile, 0, <usize>(first + 4) << 5)
    for (let r = 0; r < 4; r++) {
      const i = first + r
      let to = tile + (<usize>r << 3)
      if (i < columns) {
        let from = matrix + (<usize>((i * (i + 1)) >> 1) << 3)
        for (let m = 0; m <= i; m++, from += 8, to += 32) store<f64>(to, load<f64>(from))
        for (let c = 0; c < r; c++)
          store<f64>(block + (<usize>r << 5) + (<usize>c << 3), load<f64>(block + (<usize>c << 5) + (<usize>r << 3)))
      } else store<f64>(block + (<usize>r << 5) + (<usize>r << 3), 1)
    }
    const d0 = load<f64>(block)
    const d1 = load<f64>(block, 40)
    const d2 = load<f64>(block, 80)
    const d3 = load<f64>(block, 120)
    solve(tile, 0, panel, true)
    // 4 × 4 at the diagonal: column c of L is row c of the block.
    let pivot = load<f64>(block)
    if (!(pivot > d0 * PIVOT_TOLERANCE && pivot < Infinity)) return false
    const i0 = 1 / sqrt(pivot)
    const l10 = load<f64>(block, 8) * i0
    const l20 = load<f64>(block, 16) * i0
    const l30 = load<f64>(block, 24) * i0
    pivot = load<f64>(block, 40) - l10 * l10
    if (!(pivot > d1 * PIVOT_TOLERANCE && pivot < Infinity)) return false
    const i1 = 1 / sqrt(pivot)
    const l21 = (load<f64>(block, 48) - l20 * l10) * i1
    const l31 = (load<f64>(block, 56) - l30 * l10) * i1
    pivot = load<f64>(block, 80) - l20 * l20 - l21 * l21
    if (!(pivot > d2 * PIVOT_TOLERANCE && pivot < Infinity)) return false
    const i2 = 1 / sqrt(pivot)
    const l32 = (load<f64>(block, 88) - l30 * l20 - l31 * l21) * i2
    pivot = load<f64>(block, 120) - l30 * l30 - l31 * l31 - l32 * l32
    if (!(pivot > d3 * PIVOT_TOLERANCE && pivot < Infinity)) return false
    memory.fill(block, 0, 128)
    store<f64>(block, i0)
    store<f64>(block, l10, 8)
    store<f64>(block, l20, 16)
    store<f64>(block, l30, 24)
    store<f64>(block, i1, 40)
    store<f64>(block, l21, 48)
    store<f64>(block, l31, 56)
    store<f64>(block, i2, 80)
    store<f64>(block, l32, 88)
    store<f64>(block, 1 / sqrt(pivot), 120)
  }
  return true
}

/** Four columns of a packed lower triangle's row: those up to the diagonal, which is the column `diagonal` of them, or beyond them. */
// @ts-ignore: decorator
@inline
export function storeRow(out: usize, z0: v128, z1: v128, diagonal: i32): void {
  if (diagonal >= 3) {
    v128.store(out, z0)
    v128.store(out, z1, 16)
  } else {
    store<f64>(out, f64x2.extract_lane(z0, 0))
    if (diagonal > 0) store<f64>(out, f64x2.extract_lane(z0, 1), 8)
    if (diagonal > 1) store<f64>(out, f64x2.extract_lane(z1, 0), 16)
  }
}

/**
 * L⁻¹, four columns at a time (right-hand sides: columns of the identity), to a packed lower triangle.
 * @returns Σ_ij (L⁻¹)²_ij v_j
 */
function invert(inverse: usize): f64 {
  let total = f64x2.splat(0)
  for (let panel = 0; panel < panels; panel++) {
    const first = panel << 2
    const begin = solveTile + (<usize>first << 5)
    memory.fill(begin, 0, <usize>((panels << 2) - first) << 5)
    for (let c: usize = 0; c < 4; c++) store<f64>(begin + (c << 5) + (c << 3), 1)
    solve(solveTile, panel, panels, false)
    const v0 = v128.load(overallVariance + (<usize>first << 3))
    const v1 = v128.load(overallVariance + (<usize>first << 3), 16)
    let row = begin
    let out = inverse + (<usize>(((first * (first + 1)) >> 1) + first) << 3)
    for (let i = first; i < columns; i++, row += 32, out += <usize>i << 3) {
      // Zeros above the diagonal and behind the last column add nothing to the sum.
      const z0 = v128.load(row)
      const z1 = v128.load(row, 16)
      total = f64x2.add(total, f64x2.mul(f64x2.mul(z0, z0), v0))
      total = f64x2.add(total, f64x2.mul(f64x2.mul(z1, z1), v1))
      storeRow(out, z0, z1, i - first)
    }
  }
  return f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1)
}
