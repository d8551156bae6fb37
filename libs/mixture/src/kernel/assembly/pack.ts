import {
  BLOCK,
  PANEL_PITCH,
  SQUARE_PANEL_PITCH,
  columnPanels,
  columns,
  panels,
  paddedColumns,
  reference,
  tiles,
  values,
} from './memory'
import { tileRows } from './triangular'

/**
 * Packs `rows` ≤ 64 events beginning at `row` as tiles [column][events], minus `shift` (d doubles) unless that is 0.
 * Only the first `few` columns, a multiple of 4, are packed.
 * Rows behind the last, up to a whole tile, and columns behind the last become zeros.
 */
export function packTiles<T>(row: i32, rows: i32, shift: usize, few: i32): void {
  const pitch = (<usize>columns) << 3
  const tileBytes = (<usize>paddedColumns) << 5
  let target = tiles
  for (let first = 0; first < rows; first += tileRows<T>(), target += tileBytes) {
    const source = values + <usize>(row + first) * pitch
    const count = rows - first
    if (count >= tileRows<T>()) {
      packTile<T>(source, pitch, target, shift, few)
      if (sizeof<T>() == 4) packTile<T>(source + 4 * pitch, pitch, target + 16, shift, few)
    } else {
      memory.fill(target, 0, tileBytes)
      for (let n = 0; n < count; n++)
        for (let i = 0; i < min(columns, few); i++) {
          const c = shift != 0 ? load<f64>(shift + (<usize>i << 3)) : 0.0
          store<T>(
            target + (<usize>i << 5) + <usize>n * sizeof<T>(),
            <T>(load<f64>(source + <usize>n * pitch + (<usize>i << 3)) - c),
          )
        }
    }
  }
}

/** Four events, a whole tile or half of one. */
function packTile<T>(source: usize, pitch: usize, target: usize, shift: usize, few: i32): void {
  const count = min(columns, few)
  let i = 0
  let to = target
  let from = source
  for (; i + 2 <= count; i += 2, from += 16, to += 64) {
    let x0 = v128.load(from)
    let x1 = v128.load(from + pitch)
    let x2 = v128.load(from + 2 * pitch)
    let x3 = v128.load(from + 3 * pitch)
    if (shift != 0) {
      const c = v128.load(shift + (<usize>i << 3))
      x0 = f64x2.sub(x0, c)
      x1 = f64x2.sub(x1, c)
      x2 = f64x2.sub(x2, c)
      x3 = f64x2.sub(x3, c)
    }
    storeColumns<T>(to, x0, x1, x2, x3)
  }
  for (; i < count; i++, from += 8, to += 32) {
    const c = shift != 0 ? load<f64>(shift + (<usize>i << 3)) : 0.0
    store<T>(to, <T>(load<f64>(from) - c))
    store<T>(to, <T>(load<f64>(from + pitch) - c), sizeof<T>())
    store<T>(to, <T>(load<f64>(from + 2 * pitch) - c), 2 * sizeof<T>())
    store<T>(to, <T>(load<f64>(from + 3 * pitch) - c), 3 * sizeof<T>())
  }
  const end = target + ((<usize>few) << 5)
  for (; to < end; to += 32) {
    v128.store(to, f64x2.splat(0))
    if (sizeof<T>() == 8) v128.store(to, f64x2.splat(0), 16)
  }
}

/** Two columns of four events, an event a vector, to a tile. */
// @ts-ignore: decorator
@inline
export function storeColumns<T>(to: usize, x0: v128, x1: v128, x2: v128, x3: v128): void {
  if (sizeof<T>() == 8) {
    v128.store(to, v128.shuffle<f64>(x0, x1, 0, 2))
    v128.store(to, v128.shuffle<f64>(x2, x3, 0, 2), 16)
    v128.store(to, v128.shuffle<f64>(x0, x1, 1, 3), 32)
    v128.store(to, v128.shuffle<f64>(x2, x3, 1, 3), 48)
  } else {
    const low = v128.shuffle<f32>(f32x4.demote_f64x2_zero(x0), f32x4.demote_f64x2_zero(x1), 0, 4, 1, 5)
    const high = v128.shuffle<f32>(f32x4.demote_f64x2_zero(x2), f32x4.demote_f64x2_zero(x3), 0, 4, 1, 5)
    v128.store(to, v128.shuffle<f64>(low, high, 0, 2))
    v128.store(to, v128.shuffle<f64>(low, high, 1, 3), 32)
  }
}

/** Deviations are held within ±this, so that their squares can be summed without overflow. */
const LARGEST_DEVIATION: f64 = 1e150
/** In memory and loaded before a loop, as exp's constants are. */
const BOUNDS: usize = memory.data<f64>([-LARGEST_DEVIATION, LARGEST_DEVIATION])

// The order of the operands lets NaN through.
// @ts-ignore: decorator
@inline
function bounded(deviation: v128, least: v128, largest: v128): v128 {
  return f64x2.pmax(f64x2.pmin(deviation, largest), least)
}

/** A deviation held within the bounds, NaN as it is. */
// @ts-ignore: decorator
@inline
export function boundedDeviation(deviation: v128): v128 {
  return bounded(deviation, v128.load64_splat(BOUNDS), v128.load64_splat(BOUNDS, 8))
}

/** Packs x − c of `rows` events as [column/4][row][4]; rows up to a multiple of 4 and columns behind the last are zeros. */
export function packColumns(row: i32, rows: i32): void {
  pack<i32>(row, rows)
}

/** As `packColumns`, each row followed by its squares: [column/4][row][4 values, 4 squares]. */
export function packColumnsWithSquares(row: i32, rows: i32): void {
  pack<f64>(row, rows)
}

// The type argument is a compile-time flag: f64 stands for "with squares".
// @ts-ignore: decorator
@inline
function pack<Squares>(row: i32, rows: i32): void {
  const rowBytes: usize = isFloat<Squares>() ? 64 : 32
  const panelPitch: usize = isFloat<Squares>() ? SQUARE_PANEL_PITCH : PANEL_PITCH
  const pitch = (<usize>columns) << 3
  const paddedRows = min(BLOCK, (rows + 3) & ~3)
  const least = v128.load64_splat(BOUNDS)
  const largest = v128.load64_splat(BOUNDS, 8)
  for (let panel = 0; panel < panels; panel++) {
    const first = panel << 2
    const target = columnPanels + <usize>panel * panelPitch
    const from = values + <usize>row * pitch + (<usize>first << 3)
    const shift = reference + (<usize>first << 3)
    if (columns - first >= 4) {
      const c0 = v128.load(shift)
      const c1 = v128.load(shift, 16)
      let source = from
      let to = target
      for (let n = 0; n < rows; n++, source += pitch, to += rowBytes) {
        const x0 = bounded(f64x2.sub(v128.load(source), c0), least, largest)
        const x1 = bounded(f64x2.sub(v128.load(source, 16), c1), least, largest)
        v128.store(to, x0)
        v128.store(to, x1, 16)
        if (isFloat<Squares>()) {
          v128.store(to, f64x2.mul(x0, x0), 32)
          v128.store(to, f64x2.mul(x1, x1), 48)
        }
      }
    } else {
      memory.fill(target, 0, <usize>rows * rowBytes)
      for (let n = 0; n < rows; n++)
        for (let i = first; i < columns; i++) {
          const at = (<usize>(i - first)) << 3
          const x = f64x2.extract_lane(
            bounded(f64x2.splat(load<f64>(from + <usize>n * pitch + at) - load<f64>(shift + at)), least, largest),
            0,
          )
          store<f64>(target + <usize>n * rowBytes + at, x)
          if (isFloat<Squares>()) store<f64>(target + <usize>n * rowBytes + at, x * x, 32)
        }
    }
    if (paddedRows > rows) memory.fill(target + <usize>rows * rowBytes, 0, <usize>(paddedRows - rows) * rowBytes)
  }
}
