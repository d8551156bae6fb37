// Squared Mahalanobis distances by a triangular factor: q = ‖L⁻¹ (x − m)‖², Σ = L Lᵀ. Never inverts a matrix.
//
// Inner loops of this kernel are written one step long and not unrolled: engines move the loads of a basic block to its front, and
// an unrolled step then spills its accumulators.
import { columns, panels } from './memory'

/** Doubles in the panels of one factor: panel j holds 4 rows of L⁻¹, column by column, up to its diagonal block. */
export function factorPanelsLength(count: i32): i32 {
  return 8 * count * (count + 1)
}

/** Rearranges a packed lower triangle into panels [row/4][column][4], zeros above the diagonal and behind the last row. */
export function packFactor(triangle: usize, target: usize): void {
  memory.fill(target, 0, <usize>factorPanelsLength(panels) << 3)
  for (let j = 0; j < columns; j++) {
    const panel = j >> 2
    let to = target + (<usize>factorPanelsLength(panel) << 3) + (<usize>(j & 3) << 3)
    for (let i = 0; i <= j; i++, triangle += 8, to += 32) store<f64>(to, load<f64>(triangle))
  }
}

/**
 * One tile of 4 events: y = L⁻¹ (x − c) − u, u = L⁻¹ (m − c), in panels of 4 rows of L⁻¹ × 4 events (8 accumulators).
 * @param tile x − c as [column][4]
 * @param factor panels of L⁻¹
 * @param offset u, a whole number of panels long
 * @param out written to: constant − ½ ‖y‖² (4 doubles)
 * @param count panels to go: fewer than all give an upper bound
 */
export function triangularTile(tile: usize, factor: usize, offset: usize, constant: f64, out: usize, count: i32): void {
  distances<i32>(tile, factor, offset, constant, out, count, 0)
}

/**
 * As `triangularTile`, of all panels; but given up, with −∞, when ‖y‖² of all four events exceeds their limits.
 * @param limits 4 doubles
 * @returns the number of panels that were worked on
 */
export function boundedTile(tile: usize, factor: usize, offset: usize, constant: f64, out: usize, limits: usize): i32 {
  return distances<f64>(tile, factor, offset, constant, out, panels, limits)
}

// The type argument is a compile-time flag: f64 stands for "with limits".
// @ts-ignore: decorator
@inline
function distances<Limited>(
  tile: usize,
  factor: usize,
  offset: usize,
  constant: f64,
  out: usize,
  count: i32,
  limits: usize,
): i32 {
  const begin = offset
  let q0 = f64x2.splat(0)
  let q1 = f64x2.splat(0)
  const last = offset + (<usize>count << 5)
  let end = tile + 64
  for (; offset < last; offset += 32, end += 128) {
    let l = v128.load64_splat(offset)
    let y00 = f64x2.neg(l)
    let y01 = y00
    l = v128.load64_splat(offset, 8)
    let y10 = f64x2.neg(l)
    let y11 = y10
    l = v128.load64_splat(offset, 16)
    let y20 = f64x2.neg(l)
    let y21 = y20
    l = v128.load64_splat(offset, 24)
    let y30 = f64x2.neg(l)
    let y31 = y30
    let x = tile
    do {
      const x0 = v128.load(x)
      const x1 = v128.load(x, 16)
      l = v128.load64_splat(factor)
      y00 = f64x2.add(y00, f64x2.mul(l, x0))
      y01 = f64x2.add(y01, f64x2.mul(l, x1))
      l = v128.load64_splat(factor, 8)
      y10 = f64x2.add(y10, f64x2.mul(l, x0))
      y11 = f64x2.add(y11, f64x2.mul(l, x1))
      l = v128.load64_splat(factor, 16)
      y20 = f64x2.add(y20, f64x2.mul(l, x0))
      y21 = f64x2.add(y21, f64x2.mul(l, x1))
      l = v128.load64_splat(factor, 24)
      y30 = f64x2.add(y30, f64x2.mul(l, x0))
      y31 = f64x2.add(y31, f64x2.mul(l, x1))
      x += 32
      factor += 32
    } while (x < end)
    // The last two columns of the diagonal block reach rows 2 and 3 only.
    let x0 = v128.load(x)
    let x1 = v128.load(x, 16)
    l = v128.load64_splat(factor, 16)
    y20 = f64x2.add(y20, f64x2.mul(l, x0))
    y21 = f64x2.add(y21, f64x2.mul(l, x1))
    l = v128.load64_splat(factor, 24)
    y30 = f64x2.add(y30, f64x2.mul(l, x0))
    y31 = f64x2.add(y31, f64x2.mul(l, x1))
    x0 = v128.load(x, 32)
    x1 = v128.load(x, 48)
    l = v128.load64_splat(factor, 56)
    y30 = f64x2.add(y30, f64x2.mul(l, x0))
    y31 = f64x2.add(y31, f64x2.mul(l, x1))
    factor += 64
    q0 = f64x2.add(q0, f64x2.add(f64x2.mul(y00, y00), f64x2.mul(y10, y10)))
    q1 = f64x2.add(q1, f64x2.add(f64x2.mul(y01, y01), f64x2.mul(y11, y11)))
    q0 = f64x2.add(q0, f64x2.add(f64x2.mul(y20, y20), f64x2.mul(y30, y30)))
    q1 = f64x2.add(q1, f64x2.add(f64x2.mul(y21, y21), f64x2.mul(y31, y31)))
    if (isFloat<Limited>()) {
      const above = v128.and(f64x2.gt(q0, v128.load(limits)), f64x2.gt(q1, v128.load(limits, 16)))
      if (i64x2.all_true(above)) {
        v128.store(out, f64x2.splat(-Infinity))
        v128.store(out, f64x2.splat(-Infinity), 16)
        return 1 + <i32>((offset - begin) >> 5)
      }
    }
  }
  const half = f64x2.splat(0.5)
  const c = f64x2.splat(constant)
  v128.store(out, f64x2.sub(c, f64x2.mul(half, q0)))
  v128.store(out, f64x2.sub(c, f64x2.mul(half, q1)), 16)
  return count
}

/** One tile of 4 events: y = L⁻¹ (x − c) as [column][4], written over x − c. */
export function whitenTile(tile: usize, triangle: usize): void {
  // From the last row up, so that a row only reads columns that are not yet overwritten.
  for (let j = columns - 1; j >= 0; j--) {
    let row = triangle + (<usize>((j * (j + 1)) >> 1) << 3)
    let y0 = f64x2.splat(0)
    let y1 = f64x2.splat(0)
    let x = tile
    const end = tile + (<usize>j << 5)
    for (; x <= end; x += 32, row += 8) {
      const l = v128.load64_splat(row)
      y0 = f64x2.add(y0, f64x2.mul(l, v128.load(x)))
      y1 = f64x2.add(y1, f64x2.mul(l, v128.load(x, 16)))
    }
    v128.store(end, y0)
    v128.store(end, y1, 16)
  }
}
