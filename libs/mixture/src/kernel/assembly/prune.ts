// Densities of full covariances for well-separated components: a partial sum of ‖L⁻¹ (x−m)‖² bounds a density from above, and
// most components of an event need no more than that.
import { addLevels } from './levels'
import {
  DENSITY_PITCH,
  PANEL_PITCH,
  activeRows,
  additions,
  best,
  columnPanels,
  components,
  constants,
  densities,
  exact,
  gathered,
  paddedColumns,
  panels,
  reference,
  tiles,
} from './memory'
import { packTiles, storeColumns } from './pack'
import { factorsOf, offsetsOf } from './single'
import { boundedTile, tileRows, triangularTile } from './triangular'

/** Bounds are compared with this much to spare, in nats, so that rounding never drops what the exact comparison would keep; in f32 with more. */
const MARGIN: f64 = 1e-6
const SINGLE_MARGIN: f64 = 1e-3

/**
 * Fills `densities` of a block, in precision T, whose columns are packed: exact where a density exceeds the event's largest + cut, −∞ elsewhere,
 * with the bits of the exhaustive way.
 * @param cut log of the negligible share, nats
 * @param levelled whether `additions` belong to the densities
 * @returns the share of the exhaustive way's work that was done
 */
export function prunedDensities<T>(row: i32, rows: i32, cut: f64, levelled: bool): f64 {
  // 16 rows of L⁻¹ at most, and half of them, are a quarter of the work or less, and mostly find the best component.
  const few = min(4, panels >> 1)
  packTiles<T>(row, rows, reference, min(paddedColumns, few << 2))
  const tileBytes = (<usize>paddedColumns) << 5
  for (let k = 0; k < components; k++) {
    const factor = factorsOf<T>(k)
    const offset = offsetsOf<T>(k)
    const constant = load<f64>(constants + (<usize>k << 3))
    let out = densities + <usize>k * DENSITY_PITCH
    let tile = tiles
    for (let first = 0; first < rows; first += tileRows<T>(), out += tileRows<T>() << 3, tile += tileBytes)
      triangularTile<T>(tile, factor, offset, constant, out, few)
  }
  if (levelled) addLevels(rows)
  findBest(rows)
  const tileCount = (rows + tileRows<T>() - 1) / tileRows<T>()
  let work = components * tileCount * costOf(few)
  // The most promising component of each event is exact; it decides about the others.
  for (let k = 0; k < components; k++) {
    let count: usize = 0
    for (let n = 0; n < rows; n++) {
      store<u32>(activeRows + (count << 2), <u32>n)
      count += <usize>(load<f64>(best + (<usize>n << 3)) == <f64>k)
    }
    work += evaluate<T>(k, <i32>count, exact, levelled, false, 0)
  }
  const limit = cut - (sizeof<T>() == 8 ? MARGIN : SINGLE_MARGIN)
  for (let k = 0; k < components; k++) {
    const density = densities + <usize>k * DENSITY_PITCH
    let count: usize = 0
    for (let n: usize = 0; n < <usize>rows; n++) {
      const at = n << 3
      const bound = load<f64>(density + at)
      const largest = load<f64>(exact + at)
      const own = load<f64>(best + at) == <f64>k
      store<u32>(activeRows + (count << 2), <u32>n)
      const kept = bound > largest + limit
      store<f64>(density + at, own ? largest : -Infinity)
      count += <usize>(kept && !own)
    }
    work += evaluate<T>(k, <i32>count, density, levelled, true, limit)
  }
  return <f64>work / <f64>(components * tileCount * costOf(panels))
}

/** Exact densities of the `count` rows in `activeRows`, whose columns are packed. @param added whether `additions` belong to them */
export function exactDensities<T>(count: i32, added: bool): void {
  if (count == 0) return
  for (let k = 0; k < components; k++) evaluate<T>(k, count, densities + <usize>k * DENSITY_PITCH, added, false, 0)
}

/** Work of a tile's first panels, in panels of its first panel. */
function costOf(count: i32): i32 {
  return (count * (count + 1)) >> 1
}

/** The component with the largest bound of each event, as a double, to `best`. */
function findBest(rows: i32): void {
  const end = <usize>rows << 3
  for (let at: usize = 0; at < end; at += 16) {
    let p = densities + at
    let m = v128.load(p)
    let index = f64x2.splat(0)
    for (let k = 1; k < components; k++) {
      p += DENSITY_PITCH
      const bound = v128.load(p)
      const above = f64x2.gt(bound, m)
      m = v128.bitselect(bound, m, above)
      index = v128.bitselect(f64x2.splat(<f64>k), index, above)
    }
    v128.store(best + at, index)
  }
}

/**
 * Exact densities of component k for the `count` rows in `activeRows`, to out[row].
 * @param levelled whether `additions` belong to the densities
 * @param bounded whether a tile's rows may be given up, with −∞, once their densities are at most `exact` + limit
 * @returns the work done
 */
function evaluate<T>(k: i32, count: i32, out: usize, levelled: bool, bounded: bool, limit: f64): i32 {
  const factor = factorsOf<T>(k)
  const offset = offsetsOf<T>(k)
  const constant = load<f64>(constants + (<usize>k << 3))
  const result = gathered + (<usize>paddedColumns << 5)
  const limits = result + 64
  const addition = additions + <usize>k * DENSITY_PITCH
  const base = 2 * (constant - limit)
  let work = 0
  for (let first = 0; first < count; first += tileRows<T>()) {
    for (let half: i32 = 0; half < tileRows<T>(); half += 4) {
      const r0 = rowAt(first + half, count)
      const r1 = rowAt(first + half + 1, count)
      const r2 = rowAt(first + half + 2, count)
      const r3 = rowAt(first + half + 3, count)
      gatherTile<T>(gathered + (<usize>half << 2), r0 << 5, r1 << 5, r2 << 5, r3 << 5)
      if (bounded) {
        const to = limits + <usize>half * sizeof<T>()
        store<T>(to, <T>(base - 2 * (load<f64>(exact + (r0 << 3)) - added(levelled, addition, r0))))
        store<T>(to, <T>(base - 2 * (load<f64>(exact + (r1 << 3)) - added(levelled, addition, r1))), sizeof<T>())
        store<T>(to, <T>(base - 2 * (load<f64>(exact + (r2 << 3)) - added(levelled, addition, r2))), 2 * sizeof<T>())
        store<T>(to, <T>(base - 2 * (load<f64>(exact + (r3 << 3)) - added(levelled, addition, r3))), 3 * sizeof<T>())
      }
    }
    if (bounded) work += costOf(boundedTile<T>(gathered, factor, offset, constant, result, limits))
    else {
      triangularTile<T>(gathered, factor, offset, constant, result, panels)
      work += costOf(panels)
    }
    for (let n: i32 = 0; n < tileRows<T>(); n++) {
      const row = rowAt(first + n, count)
      store<f64>(out + (row << 3), load<f64>(result + (<usize>n << 3)) + added(levelled, addition, row))
    }
  }
  return work
}

/** A row in `activeRows`; behind the last it is that one again. */
// @ts-ignore: decorator
@inline
function rowAt(place: i32, count: i32): usize {
  return <usize>load<u32>(activeRows + (<usize>min(place, count - 1) << 2))
}

// @ts-ignore: decorator
@inline
function added(levelled: bool, addition: usize, row: usize): f64 {
  return levelled ? load<f64>(addition + (row << 3)) : 0
}

/** Four rows of the column panels, by their byte offsets, to a tile or half of one. */
function gatherTile<T>(tile: usize, r0: usize, r1: usize, r2: usize, r3: usize): void {
  let from = columnPanels
  let to = tile
  const end = to + (<usize>paddedColumns << 5)
  while (to < end) {
    for (let half: usize = 0; half < 32; half += 16) {
      const at = from + half
      storeColumns<T>(to, v128.load(at + r0), v128.load(at + r1), v128.load(at + r2), v128.load(at + r3))
      to += 64
    }
    from += PANEL_PITCH
  }
}
