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

/** Events of a tile: a column of them is 32 bytes in either precision. */
// @ts-ignore: decorator
@inline
export function tileRows<T>(): i32 {
  return 32 / sizeof<T>()
}

/**
 * One tile of events, 4 in f64 or 8 in f32: y = L⁻¹ (x − c) − u, u = L⁻¹ (m − c), in panels of 4 rows of L⁻¹ (8 accumulators).
 * @param tile x − c as [column][events]
 * @param factor panels of L⁻¹
 * @param offset u, a whole number of panels long
 * @param out written to: constant − ½ ‖y‖² (a double an event)
 * @param count panels to go: fewer than all give an upper bound
 */
export function triangularTile<T>(
  tile: usize,
  factor: usize,
  offset: usize,
  constant: f64,
  out: usize,
  count: i32,
): void {
  distances<T, i32>(tile, factor, offset, constant, out, count, 0)
}

/**
 * As `triangularTile`, of all panels; but given up, with −∞, when ‖y‖² of all events exceeds their limits.
 * @param limits a T an event
 * @returns the number of panels that were worked on
 */
export function boundedTile<T>(
  tile: usize,
  factor: usize,
  offset: usize,
  constant: f64,
  out: usize,
  limits: usize,
): i32 {
  return distances<T, f64>(tile, factor, offset, constant, out, panels, limits)
}

// Limited is a compile-time flag: f64 stands for "with limits".
// @ts-ignore: decorator
@inline
function distances<T, Limited>(
  tile: usize,
  factor: usize,
  offset: usize,
  constant: f64,
  out: usize,
  count: i32,
  limits: usize,
): i32 {
  const begin = offset
  let q0 = v128.splat<T>(0)
  let q1 = v128.splat<T>(0)
  const last = offset + (<usize>count << 2) * sizeof<T>()
  let end = tile + 64
  for (; offset < last; offset += 4 * sizeof<T>(), end += 128) {
    let l = v128.load_splat<T>(offset)
    let y00 = v128.neg<T>(l)
    let y01 = y00
    l = v128.load_splat<T>(offset, sizeof<T>())
    let y10 = v128.neg<T>(l)
    let y11 = y10
    l = v128.load_splat<T>(offset, 2 * sizeof<T>())
    let y20 = v128.neg<T>(l)
    let y21 = y20
    l = v128.load_splat<T>(offset, 3 * sizeof<T>())
    let y30 = v128.neg<T>(l)
    let y31 = y30
    let x = tile
    do {
      const x0 = v128.load(x)
      const x1 = v128.load(x, 16)
      l = v128.load_splat<T>(factor)
      y00 = v128.add<T>(y00, v128.mul<T>(l, x0))
      y01 = v128.add<T>(y01, v128.mul<T>(l, x1))
      l = v128.load_splat<T>(factor, sizeof<T>())
      y10 = v128.add<T>(y10, v128.mul<T>(l, x0))
      y11 = v128.add<T>(y11, v128.mul<T>(l, x1))
      l = v128.load_splat<T>(factor, 2 * sizeof<T>())
      y20 = v128.add<T>(y20, v128.mul<T>(l, x0))
      y21 = v128.add<T>(y21, v128.mul<T>(l, x1))
      l = v128.load_splat<T>(factor, 3 * sizeof<T>())
      y30 = v128.add<T>(y30, v128.mul<T>(l, x0))
      y31 = v128.add<T>(y31, v128.mul<T>(l, x1))
      x += 32
      factor += 4 * sizeof<T>()
    } while (x < end)
    // The last two columns of the diagonal block reach rows 2 and 3 only.
    let x0 = v128.load(x)
    let x1 = v128.load(x, 16)
    l = v128.load_splat<T>(factor, 2 * sizeof<T>())
    y20 = v128.add<T>(y20, v128.mul<T>(l, x0))
    y21 = v128.add<T>(y21, v128.mul<T>(l, x1))
    l = v128.load_splat<T>(factor, 3 * sizeof<T>())
    y30 = v128.add<T>(y30, v128.mul<T>(l, x0))
    y31 = v128.add<T>(y31, v128.mul<T>(l, x1))
    x0 = v128.load(x, 32)
    x1 = v128.load(x, 48)
    l = v128.load_splat<T>(factor, 7 * sizeof<T>())
    y30 = v128.add<T>(y30, v128.mul<T>(l, x0))
    y31 = v128.add<T>(y31, v128.mul<T>(l, x1))
    factor += 8 * sizeof<T>()
    q0 = v128.add<T>(q0, v128.add<T>(v128.mul<T>(y00, y00), v128.mul<T>(y10, y10)))
    q1 = v128.add<T>(q1, v128.add<T>(v128.mul<T>(y01, y01), v128.mul<T>(y11, y11)))
    q0 = v128.add<T>(q0, v128.add<T>(v128.mul<T>(y20, y20), v128.mul<T>(y30, y30)))
    q1 = v128.add<T>(q1, v128.add<T>(v128.mul<T>(y21, y21), v128.mul<T>(y31, y31)))
    if (isFloat<Limited>()) {
      const above = v128.and(v128.gt<T>(q0, v128.load(limits)), v128.gt<T>(q1, v128.load(limits, 16)))
      if (i32x4.all_true(above)) {
        for (let n = 0; n < tileRows<T>(); n += 2) v128.store(out + (<usize>n << 3), f64x2.splat(-Infinity))
        return 1 + <i32>((offset - begin) / (4 * sizeof<T>()))
      }
    }
  }
  const half = f64x2.splat(0.5)
  const c = f64x2.splat(constant)
  if (sizeof<T>() == 8) {
    v128.store(out, f64x2.sub(c, f64x2.mul(half, q0)))
    v128.store(out, f64x2.sub(c, f64x2.mul(half, q1)), 16)
  } else {
    v128.store(out, f64x2.sub(c, f64x2.mul(half, f64x2.promote_low_f32x4(q0))))
    v128.store(out, f64x2.sub(c, f64x2.mul(half, f64x2.promote_low_f32x4(v128.shuffle<i64>(q0, q0, 1, 1)))), 16)
    v128.store(out, f64x2.sub(c, f64x2.mul(half, f64x2.promote_low_f32x4(q1))), 32)
    v128.store(out, f64x2.sub(c, f64x2.mul(half, f64x2.promote_low_f32x4(v128.shuffle<i64>(q1, q1, 1, 1)))), 48)
  }
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
