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
  factorPanels,
  gathered,
  meanPitch,
  paddedColumns,
  panels,
  reference,
  tiles,
  whitenedMeans,
} from './memory'
import { packTiles } from './pack'
import { boundedTile, factorPanelsLength, triangularTile } from './triangular'

/** Bounds are compared with this much to spare, in nats, so that rounding never drops what the exact comparison would keep. */
const MARGIN: f64 = 1e-6

/**
 * Fills `densities` of a block whose columns are packed: exact where a density exceeds the event's largest + cut, −∞ elsewhere,
 * with the bits of the exhaustive way.
 * @param cut log of the negligible share, nats
 * @param levelled whether `additions` belong to the densities
 * @returns the share of the exhaustive way's work that was done
 */
export function prunedDensities(row: i32, rows: i32, cut: f64, levelled: bool): f64 {
  // 16 rows of L⁻¹ at most, and half of them, are a quarter of the work or less, and mostly find the best component.
  const few = min(4, panels >> 1)
  packTiles(row, rows, reference, min(paddedColumns, few << 2))
  const tileBytes = (<usize>paddedColumns) << 5
  const length = <usize>factorPanelsLength(panels) << 3
  for (let k = 0; k < components; k++) {
    const factor = factorPanels + <usize>k * length
    const offset = whitenedMeans + <usize>k * meanPitch
    const constant = load<f64>(constants + (<usize>k << 3))
    let out = densities + <usize>k * DENSITY_PITCH
    let tile = tiles
    for (let first = 0; first < rows; first += 4, out += 32, tile += tileBytes)
      triangularTile(tile, factor, offset, constant, out, few)
  }
  if (levelled) addLevels(rows)
  findBest(rows)
  const tileCount = (rows + 3) >> 2
  let work = components * tileCount * costOf(few)
  // The most promising component of each event is exact; it decides about the others.
  for (let k = 0; k < components; k++) {
    let count: usize = 0
    for (let n = 0; n < rows; n++) {
      store<u32>(activeRows + (count << 2), <u32>n)
      count += <usize>(load<f64>(best + (<usize>n << 3)) == <f64>k)
    }
    work += evaluate(k, <i32>count, exact, levelled, false, 0)
  }
  const limit = cut - MARGIN
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
    work += evaluate(k, <i32>count, density, levelled, true, limit)
  }
  return <f64>work / <f64>(components * tileCount * costOf(panels))
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
 * @param bounded whether four rows may be given up, with −∞, once their densities are at most `exact` + limit
 * @returns the work done
 */
function evaluate(k: i32, count: i32, out: usize, levelled: bool, bounded: bool, limit: f64): i32 {
  const factor = factorPanels + <usize>k * (<usize>factorPanelsLength(panels) << 3)
  const offset = whitenedMeans + <usize>k * meanPitch
  const constant = load<f64>(constants + (<usize>k << 3))
  const result = gathered + (<usize>paddedColumns << 5)
  const limits = result + 32
  const addition = additions + <usize>k * DENSITY_PITCH
  let work = 0
  for (let first = 0; first < count; first += 4) {
    // Behind the last row it is taken again.
    const last = count - 1
    const r0 = <usize>load<u32>(activeRows + (<usize>first << 2))
    const r1 = <usize>load<u32>(activeRows + (<usize>min(first + 1, last) << 2))
    const r2 = <usize>load<u32>(activeRows + (<usize>min(first + 2, last) << 2))
    const r3 = <usize>load<u32>(activeRows + (<usize>min(first + 3, last) << 2))
    gatherTile(r0 << 5, r1 << 5, r2 << 5, r3 << 5)
    if (bounded) {
      const base = 2 * (constant - limit)
      store<f64>(limits, base - 2 * (load<f64>(exact + (r0 << 3)) - added(levelled, addition, r0)))
      store<f64>(limits, base - 2 * (load<f64>(exact + (r1 << 3)) - added(levelled, addition, r1)), 8)
      store<f64>(limits, base - 2 * (load<f64>(exact + (r2 << 3)) - added(levelled, addition, r2)), 16)
      store<f64>(limits, base - 2 * (load<f64>(exact + (r3 << 3)) - added(levelled, addition, r3)), 24)
      work += costOf(boundedTile(gathered, factor, offset, constant, result, limits))
    } else {
      triangularTile(gathered, factor, offset, constant, result, panels)
      work += costOf(panels)
    }
    store<f64>(out + (r0 << 3), load<f64>(result) + added(levelled, addition, r0))
    store<f64>(out + (r1 << 3), load<f64>(result, 8) + added(levelled, addition, r1))
    store<f64>(out + (r2 << 3), load<f64>(result, 16) + added(levelled, addition, r2))
    store<f64>(out + (r3 << 3), load<f64>(result, 24) + added(levelled, addition, r3))
  }
  return work
}

// @ts-ignore: decorator
@inline
function added(levelled: bool, addition: usize, row: usize): f64 {
  return levelled ? load<f64>(addition + (row << 3)) : 0
}

/** Four rows of the column panels, by their byte offsets, as [column][4] in `gathered`. */
function gatherTile(r0: usize, r1: usize, r2: usize, r3: usize): void {
  let from = columnPanels
  let to = gathered
  const end = to + (<usize>paddedColumns << 5)
  while (to < end) {
    for (let half: usize = 0; half < 32; half += 16) {
      const at = from + half
      const x0 = v128.load(at + r0)
      const x1 = v128.load(at + r1)
      const x2 = v128.load(at + r2)
      const x3 = v128.load(at + r3)
      v128.store(to, v128.shuffle<f64>(x0, x1, 0, 2))
      v128.store(to, v128.shuffle<f64>(x2, x3, 0, 2), 16)
      v128.store(to, v128.shuffle<f64>(x0, x1, 1, 3), 32)
      v128.store(to, v128.shuffle<f64>(x2, x3, 1, 3), 48)
      to += 64
    }
    from += PANEL_PITCH
  }
}
