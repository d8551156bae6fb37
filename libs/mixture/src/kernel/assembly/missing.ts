// Events with missing values (NaN). Of full and tied covariance with Λ = Σ⁻¹ and M the missing columns of an event: the density is
// lowest in x_M at the conditional mean x̂_M = m_M − C Λ_MO (x_O − m_O), C = Λ_MM⁻¹, and there ‖L⁻¹ (x̂ − m)‖² is the marginal's;
// log |Σ_OO| = log |Σ| + log |Λ_MM|. So such an event is filled, for each component, and worked on as if it were complete; C, the
// conditional covariance, and log |Λ_MM| depend on the component and on what is missing alone.
// Of diagonal and spherical covariance a missing value adds nothing to a distance.
import { HALF_LOG_TWO_PI, at } from './conditional'
import { log } from './elementary'
import {
  BLOCK,
  DENSITY_PITCH,
  DIAGONAL,
  FULL,
  PANEL_PITCH,
  SQUARE_PANEL_PITCH,
  TIED,
  activeRows,
  additions,
  columnPanels,
  columns,
  components,
  covariance,
  densities,
  deviation,
  entryColumns,
  entryStarts,
  factors,
  fills,
  incompleteRows,
  largest,
  logWeights,
  meanPitch,
  means,
  missingConstants,
  missingWeights,
  paddedColumns,
  patterns,
  precisions,
  reference,
  statistics,
  tiles,
  values,
} from './memory'
import { boundedDeviation } from './pack'
import { clearPatterns, columnsAt, flushPatterns, forgetPatterns, patternOf, weightsAt } from './patterns'

/** Incomplete rows of the block that `findMissing` looked at last. */
export let incomplete: i32 = 0

/** Whether `missingConstants` are those of the parameters. */
let formed: bool = false

/** Call once after the parameters are written. */
export function forgetMissing(): void {
  formed = false
  forgetPatterns()
}

/** Begins anew, so that the same events give the same blocks, whatever was there before; sums that were not flushed are lost. */
export function clearMissing(): void {
  clearPatterns()
  if (covariance > TIED) memory.fill(missingWeights, 0, <usize>(columns * components) << 3)
}

export function forgetIncomplete(): void {
  incomplete = 0
}

/**
 * Lists what is missing in a block: rows to `incompleteRows`, columns to `entryColumns`; and conditional means to `fills`.
 * @returns the number of rows to work on: fewer where the patterns of the rest have no room beside theirs
 */
export function findMissing(row: i32, rows: i32): i32 {
  const pitch = <usize>columns << 3
  let from = values + <usize>row * pitch
  const even = from + (<usize>(columns & ~1) << 3)
  let end = even
  let entries: u32 = 0
  incomplete = 0
  store<u32>(entryStarts, 0)
  for (let n = 0; n < rows; n++, from += pitch, end += pitch) {
    let present = i64x2.splat(-1)
    for (let p = from; p < end; p += 16) {
      const x = v128.load(p)
      present = v128.and(present, f64x2.eq(x, x))
    }
    const last = load<f64>(from + pitch - 8)
    if (i64x2.all_true(present) && last == last) continue
    const first = entries
    for (let j = 0; j < columns; j++) {
      const x = load<f64>(from + (<usize>j << 3))
      if (x == x) continue
      store<u32>(entryColumns + (<usize>entries << 2), <u32>j)
      entries++
    }
    if (covariance <= TIED) {
      const pattern = patternOf(first, entries)
      if (pattern == 0) {
        if (n > 0) {
          rows = n
          break
        }
        // There is always room for one.
        flushPatterns()
        clearPatterns()
        entries = first
        n--
        from -= pitch
        end -= pitch
        continue
      }
      store<usize>(patterns + (<usize>incomplete << 3), pattern)
    }
    store<u32>(incompleteRows + (<usize>incomplete << 2), <u32>n)
    incomplete++
    store<u32>(entryStarts + (<usize>incomplete << 2), entries)
  }
  if (incomplete > 0 && covariance <= TIED) fillMeans(row)
  return rows
}

/** Lists the rows of a block that miss no value and whose `largest` density is not at least `least`. @returns their number */
export function listComplete(rows: i32, least: f64): i32 {
  let count: usize = 0
  let next: usize = 0
  for (let n = 0; n < rows; n++) {
    if (next < <usize>incomplete && load<u32>(incompleteRows + (next << 2)) == <u32>n) next++
    else {
      store<u32>(activeRows + (count << 2), <u32>n)
      count += <usize>!(load<f64>(largest + (<usize>n << 3)) >= least)
    }
  }
  return <i32>count
}

/** Bytes between two components' fills. */
// @ts-ignore: decorator
@inline
function fillPitch(): usize {
  return <usize>(BLOCK * columns) << 3
}

/** x̂_M − m_M of each incomplete row and component, to `fills`. */
function fillMeans(row: i32): void {
  for (let k = 0; k < components; k++) {
    const mean = means + <usize>k * meanPitch
    const matrix = covariance == FULL ? k : 0
    const square = precisions + <usize>matrix * <usize>columns * meanPitch
    let out = fills + <usize>k * fillPitch()
    for (let i: usize = 0; i < <usize>incomplete; i++) {
      const n = <i32>load<u32>(incompleteRows + (i << 2))
      observedDeviation(values + ((<usize>(row + n) * <usize>columns) << 3), mean)
      const pattern = load<usize>(patterns + (i << 3))
      const m = load<u32>(pattern)
      const list = columnsAt(pattern)
      // g = Λ_MO (x_O − m_O) in the place of the result, and behind the deviations meanwhile.
      const gradient = deviation + meanPitch
      for (let a: usize = 0; a < <usize>m; a++) {
        let sum = f64x2.splat(0)
        const from = square + <usize>load<u64>(list + (a << 3)) * meanPitch
        for (let j: usize = 0; j < meanPitch; j += 16)
          sum = f64x2.add(sum, f64x2.mul(v128.load(from + j), v128.load(deviation + j)))
        store<f64>(gradient + (a << 3), f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1))
      }
      const length = <usize>((m * (m + 1)) >> 1) << 3
      const c = weightsAt(pattern) + (<usize>components << 4) + <usize>matrix * length
      for (let a = 0; a < <i32>m; a++, out += 8) {
        let sum = 0.0
        for (let b = 0; b < <i32>m; b++)
          sum -= load<f64>(b <= a ? at(c, a, b) : at(c, b, a)) * load<f64>(gradient + (<usize>b << 3))
        store<f64>(out, sum)
      }
    }
  }
}

/** (x − c) − (m − c) of one row to `deviation`, 0 where missing. */
function observedDeviation(from: usize, mean: usize): void {
  const end = <usize>columns << 3
  for (let j: usize = 0; j < end; j += 16) {
    const c = v128.load(reference + j)
    const z = f64x2.sub(boundedDeviation(f64x2.sub(v128.load(from + j), c)), f64x2.sub(v128.load(mean + j), c))
    v128.store(deviation + j, v128.and(z, f64x2.eq(z, z)))
  }
  if (columns & 1) store<f64>(deviation + end, 0)
}

/** Adds to `additions` what a marginal's log density has more than one of all columns. */
export function addMarginals(): void {
  if (covariance > TIED && !formed) formConstants()
  for (let i: usize = 0; i < <usize>incomplete; i++) {
    let to = additions + (<usize>load<u32>(incompleteRows + (i << 2)) << 3)
    const first = load<u32>(entryStarts + (i << 2))
    const end = load<u32>(entryStarts + (i << 2), 4)
    if (<i32>(end - first) == columns) continue
    if (covariance <= TIED) {
      let constant = weightsAt(load<usize>(patterns + (i << 3))) + (<usize>components << 3)
      for (let k = 0; k < components; k++, to += DENSITY_PITCH, constant += 8)
        store<f64>(to, load<f64>(to) + load<f64>(constant))
    } else
      for (let k = 0; k < components; k++, to += DENSITY_PITCH) {
        let sum = load<f64>(to)
        for (let e = first; e < end; e++)
          sum += load<f64>(
            missingConstants + ((<usize>load<u32>(entryColumns + (<usize>e << 2)) * <usize>components + <usize>k) << 3),
          )
        store<f64>(to, sum)
      }
  }
}

/** ½ log 2π − log (1/σ) by column and component. */
function formConstants(): void {
  formed = true
  for (let k = 0; k < components; k++)
    for (let j = 0; j < columns; j++)
      store<f64>(
        missingConstants + (<usize>(j * components + k) << 3),
        HALF_LOG_TWO_PI - f64x2.extract_lane(log(f64x2.splat(load<f64>(inverseDeviation(k, j)))), 0),
      )
}

// @ts-ignore: decorator
@inline
function inverseDeviation(k: i32, j: i32): usize {
  return factors + (<usize>(covariance == DIAGONAL ? k * columns + j : k) << 3)
}

/** An event of which nothing is known has the density 1 under every component. */
export function setUnknown(): void {
  for (let i: usize = 0; i < <usize>incomplete; i++) {
    if (<i32>(load<u32>(entryStarts + (i << 2), 4) - load<u32>(entryStarts + (i << 2))) < columns) continue
    let to = densities + (<usize>load<u32>(incompleteRows + (i << 2)) << 3)
    for (let k: usize = 0; k < <usize>components; k++, to += DENSITY_PITCH) store<f64>(to, load<f64>(logWeights + (k << 3)))
  }
}

/** Puts component k's fills into the tiles, as x̂ − `shift`. */
export function fillTiles(k: i32, shift: usize): void {
  const mean = means + <usize>k * meanPitch
  let from = fills + <usize>k * fillPitch()
  let entry = entryColumns
  for (let i: usize = 0; i < <usize>incomplete; i++) {
    const n = <usize>load<u32>(incompleteRows + (i << 2))
    const tile = tiles + (n >> 2) * ((<usize>paddedColumns) << 5) + ((n & 3) << 3)
    const end = entryColumns + (<usize>load<u32>(entryStarts + (i << 2), 4) << 2)
    for (; entry < end; entry += 4, from += 8) {
      const j = <usize>load<u32>(entry)
      store<f64>(tile + (j << 5), load<f64>(from) + (load<f64>(mean + (j << 3)) - load<f64>(shift + (j << 3))))
    }
  }
}

/** Puts component k's fills into the column panels, as x̂ − c, and adds its responsibilities to the patterns' sums. */
export function fillColumns(k: i32): void {
  const mean = means + <usize>k * meanPitch
  let from = fills + <usize>k * fillPitch()
  let entry = entryColumns
  for (let i: usize = 0; i < <usize>incomplete; i++) {
    const n = <usize>load<u32>(incompleteRows + (i << 2))
    const end = entryColumns + (<usize>load<u32>(entryStarts + (i << 2), 4) << 2)
    for (; entry < end; entry += 4, from += 8) {
      const j = <usize>load<u32>(entry)
      const to = columnPanels + (j >> 2) * PANEL_PITCH + (n << 5) + ((j & 3) << 3)
      store<f64>(to, load<f64>(from) + (load<f64>(mean + (j << 3)) - load<f64>(reference + (j << 3))))
    }
    const sum = weightsAt(load<usize>(patterns + (i << 3))) + (<usize>k << 3)
    store<f64>(sum, load<f64>(sum) + load<f64>(densities + <usize>k * DENSITY_PITCH + (n << 3)))
  }
}

/** Zeros for what is missing in panels of values and squares, and its responsibilities by column to `missingWeights`. */
export function clearColumns(): void {
  let entry = entryColumns
  for (let i: usize = 0; i < <usize>incomplete; i++) {
    const n = <usize>load<u32>(incompleteRows + (i << 2))
    const end = entryColumns + (<usize>load<u32>(entryStarts + (i << 2), 4) << 2)
    for (; entry < end; entry += 4) {
      const j = <usize>load<u32>(entry)
      const to = columnPanels + (j >> 2) * SQUARE_PANEL_PITCH + (n << 6) + ((j & 3) << 3)
      store<f64>(to, 0)
      store<f64>(to, 0, 32)
      let r = densities + (n << 3)
      let sum = missingWeights + ((j * <usize>components) << 3)
      for (let k = 0; k < components; k++, r += DENSITY_PITCH, sum += 8)
        store<f64>(sum, load<f64>(sum) + load<f64>(r))
    }
  }
}

/** Adds what has been summed by pattern or column to the statistics: conditional covariances; or means and variances. */
export function flushMissing(): void {
  if (covariance > TIED) flushColumns()
  else flushPatterns()
}

function flushColumns(): void {
  const first = statistics + ((<usize>components) << 3)
  const second = first + ((<usize>(components * columns)) << 3)
  for (let j = 0; j < columns; j++)
    for (let k = 0; k < components; k++) {
      const sum = missingWeights + (<usize>(j * components + k) << 3)
      const weight = load<f64>(sum)
      if (weight == 0) continue
      store<f64>(sum, 0)
      const place = <usize>(k * columns + j) << 3
      const mean = load<f64>(means + <usize>k * meanPitch + (<usize>j << 3)) - load<f64>(reference + (<usize>j << 3))
      const inverse = load<f64>(inverseDeviation(k, j))
      store<f64>(first + place, load<f64>(first + place) + weight * mean)
      store<f64>(second + place, load<f64>(second + place) + weight * (mean * mean + 1 / (inverse * inverse)))
    }
}
