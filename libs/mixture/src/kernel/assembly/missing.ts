// Events with missing values (NaN). Of full and tied covariance with Λ = Σ⁻¹ and M the missing columns of an event: the density is
// lowest in x_M at the conditional mean x̂_M = m_M − C Λ_MO (x_O − m_O), C = Λ_MM⁻¹, and there ‖L⁻¹ (x̂ − m)‖² is the marginal's;
// log |Σ_OO| = log |Σ| + log |Λ_MM|. So such an event is filled, for each component, and worked on as if it were complete; C, the
// conditional covariance, and log |Λ_MM| depend on the component and on what is missing alone.
// Of diagonal and spherical covariance a missing value adds nothing to a distance.
import { log } from './elementary'
import {
  BLOCK,
  DENSITY_PITCH,
  DIAGONAL,
  FULL,
  MOST_PATTERNS,
  PANEL_PITCH,
  SQUARE_PANEL_PITCH,
  TIED,
  additions,
  arenaDoubles,
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
  logWeights,
  meanPitch,
  means,
  missingConstants,
  missingWeights,
  paddedColumns,
  patternArena,
  patternTable,
  patternWords,
  patterns,
  precisions,
  reference,
  statistics,
  tiles,
  triangle,
  values,
  wordScratch,
} from './memory'
import { boundedDeviation } from './pack'

/** Of the conditional variances of a matrix's columns, each given those before it. */
const WORST_RATIO: f64 = 1e9
const HALF_LOG_TWO_PI: f64 = 0.9189385332046727

/** Incomplete rows of the block that `findMissing` looked at last. */
export let incomplete: i32 = 0

/** What is derived from the parameters when it is first needed: Λ or the columns' constants. */
let derived: bool = false
let arenaTop: usize = 0
let patternCount: i32 = 0

/** Call once after the parameters are written. */
export function forgetPatterns(): void {
  derived = false
  patternCount = 0
}

/** Begins anew, so that the same events give the same blocks, whatever was there before; sums that were not flushed are lost. */
export function clearPatterns(): void {
  patternCount = 0
  if (covariance > TIED) memory.fill(missingWeights, 0, <usize>(columns * components) << 3)
}

export function forgetIncomplete(): void {
  incomplete = 0
}

/** Number of covariance matrices. */
// @ts-ignore: decorator
@inline
function matrices(): i32 {
  return covariance == FULL ? components : 1
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
        flushMissing()
        patternCount = 0
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

// A pattern in the arena, in doubles: number of missing columns, its bits, the columns, (K) sums of responsibilities, (K) what is added
// to a log density, and C as packed lower triangles.
// @ts-ignore: decorator
@inline
function columnsAt(pattern: usize): usize {
  return pattern + 8 + (<usize>patternWords << 3)
}

// @ts-ignore: decorator
@inline
function weightsAt(pattern: usize): usize {
  return columnsAt(pattern) + (<usize>load<u32>(pattern) << 3)
}

/** The pattern of the entries [first, end). @returns 0 if there is no room for it */
function patternOf(first: u32, end: u32): usize {
  if (patternCount == 0) {
    memory.fill(patternTable, 0, <usize>(2 * MOST_PATTERNS) << 3)
    arenaTop = patternArena
  }
  const bytes = <usize>patternWords << 3
  memory.fill(wordScratch, 0, bytes)
  for (let e = first; e < end; e++) {
    const j = load<u32>(entryColumns + (<usize>e << 2))
    const word = wordScratch + (<usize>(j >> 6) << 3)
    store<u64>(word, load<u64>(word) | ((<u64>1) << (j & 63)))
  }
  let hash: u64 = 0
  for (let at: usize = 0; at < bytes; at += 8) hash = (hash ^ load<u64>(wordScratch + at)) * 0x9e3779b97f4a7c15
  let slot = <u32>(hash >> 32)
  let place = placeOf(slot)
  for (let known = load<usize>(place); known != 0; known = load<usize>(place)) {
    let at: usize = 0
    while (at < bytes && load<u64>(known + 8 + at) == load<u64>(wordScratch + at)) at += 8
    if (at == bytes) return known
    place = placeOf(++slot)
  }
  const m = end - first
  const count = 1 + patternWords + m + 2 * components + matrices() * ((m * (m + 1)) >> 1)
  const pattern = arenaTop
  const next = pattern + (<usize>count << 3)
  if (patternCount == MOST_PATTERNS || next > patternArena + (<usize>arenaDoubles << 3)) return 0
  arenaTop = next
  patternCount++
  store<usize>(place, pattern)
  derive(pattern, first, end)
  return pattern
}

// @ts-ignore: decorator
@inline
function placeOf(slot: u32): usize {
  return patternTable + (<usize>(slot & (2 * MOST_PATTERNS - 1)) << 3)
}

/** Writes a new pattern. */
function derive(pattern: usize, first: u32, end: u32): void {
  if (!derived) formPrecisions()
  const m = <i32>(end - first)
  store<u64>(pattern, <u64>m)
  memory.copy(pattern + 8, wordScratch, <usize>patternWords << 3)
  const list = columnsAt(pattern)
  for (let a: usize = 0; a < <usize>m; a++)
    store<u64>(list + (a << 3), <u64>load<u32>(entryColumns + ((<usize>first + a) << 2)))
  const sums = weightsAt(pattern)
  memory.fill(sums, 0, <usize>components << 3)
  const constants = sums + (<usize>components << 3)
  const matrix = constants + (<usize>components << 3)
  const length = <usize>((m * (m + 1)) >> 1) << 3
  for (let k = 0; k < matrices(); k++)
    store<f64>(constants + (<usize>k << 3), conditional(k, list, m, matrix + <usize>k * length))
  for (let k = matrices(); k < components; k++) store<f64>(constants + (<usize>k << 3), load<f64>(constants))
}

/**
 * Λ = L⁻ᵀ L⁻¹ of each matrix, rows of padded d; NaN where a column hardly varies beside the others: Λ would lose as many digits as
 * that ratio has. Such events are left to the reference, which takes Σ apart anew for each pattern.
 */
function formPrecisions(): void {
  derived = true
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
function conditional(k: i32, list: usize, m: i32, out: usize): f64 {
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
function at(matrix: usize, i: i32, j: i32): usize {
  return matrix + (<usize>(((i * (i + 1)) >> 1) + j) << 3)
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
  if (covariance > TIED && !derived) formConstants()
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
  derived = true
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
  else if (patternCount > 0) flushPatterns()
}

function flushPatterns(): void {
  const second = statistics + (<usize>(components + components * columns) << 3)
  for (let pattern = patternArena; pattern < arenaTop; ) {
    const m = load<u32>(pattern)
    const list = columnsAt(pattern)
    const sums = weightsAt(pattern)
    const length = <usize>((m * (m + 1)) >> 1) << 3
    const matrix = sums + (<usize>components << 4)
    for (let k = 0; k < components; k++) {
      const weight = load<f64>(sums + (<usize>k << 3))
      if (weight == 0) continue
      store<f64>(sums + (<usize>k << 3), 0)
      const out = covariance == FULL ? second + (<usize>(k * triangle) << 3) : second
      let from = covariance == FULL ? matrix + <usize>k * length : matrix
      for (let a: usize = 0; a < <usize>m; a++) {
        const i = <i32>load<u64>(list + (a << 3))
        for (let b: usize = 0; b <= a; b++, from += 8) {
          const to = at(out, i, <i32>load<u64>(list + (b << 3)))
          store<f64>(to, load<f64>(to) + weight * load<f64>(from))
        }
      }
    }
    pattern = matrix + <usize>matrices() * length
  }
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
