// Weighted scatter of full and tied covariance: Σ r (x−c) and the lower triangle of Σ r (x−c)(x−c)ᵀ, by tiles of 4 × 4 columns
// (8 accumulators, 6 on the diagonal), summed over a block before they are added to the statistics.
import { addRow } from './diagonal'
import { PANEL_PITCH, activeRows, columnPanels, columns, panels, weightedPanel } from './memory'

/**
 * Adds one block to a component's statistics.
 * @param weights address of the block's responsibilities (64 doubles, zeros behind the last row)
 * @param active number of rows in `activeRows` to visit, or −1 for all
 * @param first address of s1 (d), or 0 to leave it out
 * @param second address of the packed lower triangle (p)
 */
export function scatter(rows: i32, weights: usize, active: i32, first: usize, second: usize): void {
  if (active < 0) accumulate<i32>(rows, weights, first, second)
  else accumulate<f64>(active, weights, first, second)
}

// In this file the type argument is a compile-time flag: f64 stands for "only the active rows".
// @ts-ignore: decorator
@inline
function accumulate<Active>(count: i32, weights: usize, first: usize, second: usize): void {
  for (let panel = 0; panel < panels; panel++) {
    const right = columnPanels + <usize>panel * PANEL_PITCH
    diagonalTile<Active>(count, panel, right, weights, first, second)
    for (let below = panel + 1; below < panels; below++)
      tile<Active>(count, below, panel, columnPanels + <usize>below * PANEL_PITCH, second)
  }
}

/** Adds the first lanes of row `row` of a tile, columns `column` …, to a packed lower triangle. */
// @ts-ignore: decorator
@inline
function addTriangle(triangle: usize, row: i32, column: i32, low: v128, high: v128, count: i32): void {
  if (row < columns) addRow(triangle + (<usize>(((row * (row + 1)) >> 1) + column) << 3), low, high, count)
}

/** Multiplies a panel by the responsibilities (kept for the tiles below), sums it into s1, and forms the diagonal tile. */
function diagonalTile<Active>(count: i32, panel: i32, right: usize, weights: usize, first: usize, second: usize): void {
  let t0 = f64x2.splat(0)
  let t1 = f64x2.splat(0)
  let a00 = f64x2.splat(0)
  let a10 = f64x2.splat(0)
  let a20 = f64x2.splat(0)
  let a21 = f64x2.splat(0)
  let a30 = f64x2.splat(0)
  let a31 = f64x2.splat(0)
  let x = right
  let r = weights
  let list = activeRows
  let target = weightedPanel
  const end = target + (<usize>count << 5)
  for (; target < end; target += 32) {
    if (isFloat<Active>()) {
      const row = <usize>load<u32>(list)
      x = right + (row << 5)
      r = weights + (row << 3)
      list += 4
    }
    const weight = v128.load64_splat(r)
    const w0 = f64x2.mul(weight, v128.load(x))
    const w1 = f64x2.mul(weight, v128.load(x, 16))
    v128.store(target, w0)
    v128.store(target, w1, 16)
    t0 = f64x2.add(t0, w0)
    t1 = f64x2.add(t1, w1)
    let s = v128.load64_splat(x)
    a00 = f64x2.add(a00, f64x2.mul(s, w0))
    s = v128.load64_splat(x, 8)
    a10 = f64x2.add(a10, f64x2.mul(s, w0))
    s = v128.load64_splat(x, 16)
    a20 = f64x2.add(a20, f64x2.mul(s, w0))
    a21 = f64x2.add(a21, f64x2.mul(s, w1))
    s = v128.load64_splat(x, 24)
    a30 = f64x2.add(a30, f64x2.mul(s, w0))
    a31 = f64x2.add(a31, f64x2.mul(s, w1))
    if (!isFloat<Active>()) {
      x += 32
      r += 8
    }
  }
  const i = panel << 2
  if (first != 0) addRow(first + (<usize>i << 3), t0, t1, min(4, columns - i))
  addTriangle(second, i, i, a00, a00, 1)
  addTriangle(second, i + 1, i, a10, a10, 2)
  addTriangle(second, i + 2, i, a20, a21, 3)
  addTriangle(second, i + 3, i, a30, a31, 4)
}

/** A tile below the diagonal: rows of panel `below`, columns of the panel that lies multiplied in `weightedPanel`. */
function tile<Active>(count: i32, below: i32, panel: i32, left: usize, second: usize): void {
  let a00 = f64x2.splat(0)
  let a01 = f64x2.splat(0)
  let a10 = f64x2.splat(0)
  let a11 = f64x2.splat(0)
  let a20 = f64x2.splat(0)
  let a21 = f64x2.splat(0)
  let a30 = f64x2.splat(0)
  let a31 = f64x2.splat(0)
  let x = left
  let list = activeRows
  let right = weightedPanel
  const end = right + (<usize>count << 5)
  for (; right < end; right += 32) {
    if (isFloat<Active>()) {
      x = left + ((<usize>load<u32>(list)) << 5)
      list += 4
    }
    const w0 = v128.load(right)
    const w1 = v128.load(right, 16)
    let s = v128.load64_splat(x)
    a00 = f64x2.add(a00, f64x2.mul(s, w0))
    a01 = f64x2.add(a01, f64x2.mul(s, w1))
    s = v128.load64_splat(x, 8)
    a10 = f64x2.add(a10, f64x2.mul(s, w0))
    a11 = f64x2.add(a11, f64x2.mul(s, w1))
    s = v128.load64_splat(x, 16)
    a20 = f64x2.add(a20, f64x2.mul(s, w0))
    a21 = f64x2.add(a21, f64x2.mul(s, w1))
    s = v128.load64_splat(x, 24)
    a30 = f64x2.add(a30, f64x2.mul(s, w0))
    a31 = f64x2.add(a31, f64x2.mul(s, w1))
    if (!isFloat<Active>()) x += 32
  }
  const i = below << 2
  const j = panel << 2
  addTriangle(second, i, j, a00, a01, 4)
  addTriangle(second, i + 1, j, a10, a11, 4)
  addTriangle(second, i + 2, j, a20, a21, 4)
  addTriangle(second, i + 3, j, a30, a31, 4)
}
