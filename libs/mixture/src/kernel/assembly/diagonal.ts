// Diagonal, spherical and (after whitening) tied components: distances column by column, 8 events at a time; and the sums
// Σ r (x−c) and Σ r (x−c)², two components × four columns at a time.
import {
  DENSITY_PITCH,
  PANEL_PITCH,
  SQUARE_PANEL_PITCH,
  columnPanels,
  columns,
  components,
  constants,
  densities,
  factors,
  meanPitch,
  paddedColumns,
  panels,
  statistics,
  tiles,
} from './memory'

/** densities ← constant_k − ½ Σ_i ((x_i − m_ki) / σ_ki)² for the block's tiles; missing values add nothing. */
export function diagonalDensities(rows: i32, means: usize, missing: bool): void {
  for (let k = 0; k < components; k++) {
    const mean = means + <usize>k * meanPitch
    const factor = factors + ((<usize>k * <usize>columns) << 3)
    if (missing) distances<f64, f64>(rows, k, mean, factor, 1)
    else distances<f64, i32>(rows, k, mean, factor, 1)
  }
}

/** densities ← constant_k − ½ Σ_i (x_i − m_ki)² / σ_k²; with `whitened`, σ = 1. Missing values add nothing. */
export function sphericalDensities(rows: i32, means: usize, whitened: bool, missing: bool): void {
  for (let k = 0; k < components; k++) {
    const scale = whitened ? 1.0 : load<f64>(factors + (<usize>k << 3))
    const mean = means + <usize>k * meanPitch
    if (missing) distances<i32, f64>(rows, k, mean, 0, scale * scale)
    else distances<i32, i32>(rows, k, mean, 0, scale * scale)
  }
}

// The type arguments are compile-time flags: f64 stands for "one scale a column" and "some values are missing".
// @ts-ignore: decorator
@inline
function distances<PerColumn, Missing>(rows: i32, k: i32, mean: usize, factor: usize, scale: f64): void {
  const tileBytes = (<usize>paddedColumns) << 5
  const half = f64x2.splat(-0.5 * scale)
  const constant = f64x2.splat(load<f64>(constants + (<usize>k << 3)))
  let out = densities + <usize>k * DENSITY_PITCH
  let x = tiles
  const last = mean + (<usize>columns << 3)
  const gap = factor - mean
  for (let first = 0; first < rows; first += 8, out += 64, x += 2 * tileBytes) {
    // A last lone tile is computed twice rather than read beyond.
    const second = first + 4 < rows ? tileBytes : 0
    let q0 = f64x2.splat(0)
    let q1 = f64x2.splat(0)
    let q2 = f64x2.splat(0)
    let q3 = f64x2.splat(0)
    let p = x
    let q = x + second
    let at = mean
    do {
      const m = v128.load64_splat(at)
      let y0 = f64x2.sub(v128.load(p), m)
      let y1 = f64x2.sub(v128.load(p, 16), m)
      let y2 = f64x2.sub(v128.load(q), m)
      let y3 = f64x2.sub(v128.load(q, 16), m)
      if (isFloat<PerColumn>()) {
        const s = v128.load64_splat(at + gap)
        y0 = f64x2.mul(y0, s)
        y1 = f64x2.mul(y1, s)
        y2 = f64x2.mul(y2, s)
        y3 = f64x2.mul(y3, s)
      }
      if (isFloat<Missing>()) {
        y0 = v128.and(y0, f64x2.eq(y0, y0))
        y1 = v128.and(y1, f64x2.eq(y1, y1))
        y2 = v128.and(y2, f64x2.eq(y2, y2))
        y3 = v128.and(y3, f64x2.eq(y3, y3))
      }
      q0 = f64x2.add(q0, f64x2.mul(y0, y0))
      q1 = f64x2.add(q1, f64x2.mul(y1, y1))
      q2 = f64x2.add(q2, f64x2.mul(y2, y2))
      q3 = f64x2.add(q3, f64x2.mul(y3, y3))
      at += 8
      p += 32
      q += 32
    } while (at < last)
    v128.store(out, f64x2.add(constant, f64x2.mul(half, q0)))
    v128.store(out, f64x2.add(constant, f64x2.mul(half, q1)), 16)
    if (second != 0) {
      v128.store(out, f64x2.add(constant, f64x2.mul(half, q2)), 32)
      v128.store(out, f64x2.add(constant, f64x2.mul(half, q3)), 48)
    }
  }
}

/** Adds Σ r (x−c) to s1 and, for panels that carry squares, Σ r (x−c)² to S2. */
export function momentSums(rows: i32, squares: bool): void {
  const first = statistics + ((<usize>components) << 3)
  const second = first + ((<usize>(components * columns)) << 3)
  for (let panel = 0; panel < panels; panel++) {
    let k = 0
    for (; k + 2 <= components; k += 2) {
      if (squares) momentTile<f64, f64>(k, panel, rows, first, second)
      else momentTile<i32, f64>(k, panel, rows, first, second)
    }
    if (k == components) continue
    if (squares) momentTile<f64, i32>(k, panel, rows, first, second)
    else momentTile<i32, i32>(k, panel, rows, first, second)
  }
}

// `Pair`, a compile-time flag too: f64 for components k and k + 1, i32 for k alone.
// @ts-ignore: decorator
@inline
function momentTile<Squares, Pair>(k: i32, panel: i32, rows: i32, first: usize, second: usize): void {
  const rowBytes: usize = isFloat<Squares>() ? 64 : 32
  let r = densities + <usize>k * DENSITY_PITCH
  const end = r + (<usize>rows << 3)
  let x = columnPanels + <usize>panel * (isFloat<Squares>() ? SQUARE_PANEL_PITCH : PANEL_PITCH)
  let a0 = f64x2.splat(0)
  let a1 = f64x2.splat(0)
  let a2 = f64x2.splat(0)
  let a3 = f64x2.splat(0)
  let b0 = f64x2.splat(0)
  let b1 = f64x2.splat(0)
  let b2 = f64x2.splat(0)
  let b3 = f64x2.splat(0)
  for (; r < end; r += 8, x += rowBytes) {
    const ra = v128.load64_splat(r)
    const rb = isFloat<Pair>() ? v128.load64_splat(r, 512) : ra
    let v = v128.load(x)
    a0 = f64x2.add(a0, f64x2.mul(v, ra))
    if (isFloat<Pair>()) b0 = f64x2.add(b0, f64x2.mul(v, rb))
    v = v128.load(x, 16)
    a1 = f64x2.add(a1, f64x2.mul(v, ra))
    if (isFloat<Pair>()) b1 = f64x2.add(b1, f64x2.mul(v, rb))
    if (isFloat<Squares>()) {
      v = v128.load(x, 32)
      a2 = f64x2.add(a2, f64x2.mul(v, ra))
      if (isFloat<Pair>()) b2 = f64x2.add(b2, f64x2.mul(v, rb))
      v = v128.load(x, 48)
      a3 = f64x2.add(a3, f64x2.mul(v, ra))
      if (isFloat<Pair>()) b3 = f64x2.add(b3, f64x2.mul(v, rb))
    }
  }
  const column = panel << 2
  const count = min(4, columns - column)
  const at = (<usize>(k * columns + column)) << 3
  const next = (<usize>columns) << 3
  addRow(first + at, a0, a1, count)
  if (isFloat<Squares>()) addRow(second + at, a2, a3, count)
  if (isFloat<Pair>()) {
    addRow(first + at + next, b0, b1, count)
    if (isFloat<Squares>()) addRow(second + at + next, b2, b3, count)
  }
}

/** Adds the first `count` ≤ 4 of four lanes to memory. */
// @ts-ignore: decorator
@inline
export function addRow(at: usize, low: v128, high: v128, count: i32): void {
  if (count >= 2) {
    v128.store(at, f64x2.add(v128.load(at), low))
    if (count == 4) v128.store(at, f64x2.add(v128.load(at, 16), high), 16)
    else if (count == 3) store<f64>(at, load<f64>(at, 16) + f64x2.extract_lane(high, 0), 16)
  } else if (count == 1) store<f64>(at, load<f64>(at) + f64x2.extract_lane(low, 0))
}
