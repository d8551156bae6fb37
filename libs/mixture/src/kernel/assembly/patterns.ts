// What depends on the pattern of an event's missing values alone, known by the bits of its columns, for full and tied covariance.
import { at, conditional, formPrecisions, matrices } from './conditional'
import {
  FULL,
  MOST_PATTERNS,
  arenaDoubles,
  columns,
  components,
  covariance,
  entryColumns,
  patternArena,
  patternTable,
  patternWords,
  statistics,
  triangle,
  wordScratch,
} from './memory'

/** Whether Λ is that of the parameters. */
let formed: bool = false
let arenaTop: usize = 0
let patternCount: i32 = 0

/** Call once after the parameters are written. */
export function forgetPatterns(): void {
  formed = false
  patternCount = 0
}

/** Begins anew; sums that were not flushed are lost. */
export function clearPatterns(): void {
  patternCount = 0
}

// A pattern in the arena, in doubles: number of missing columns, its bits, the columns, (K) sums of responsibilities, (K) what is added
// to a log density, and C as packed lower triangles.
// @ts-ignore: decorator
@inline
export function columnsAt(pattern: usize): usize {
  return pattern + 8 + (<usize>patternWords << 3)
}

// @ts-ignore: decorator
@inline
export function weightsAt(pattern: usize): usize {
  return columnsAt(pattern) + (<usize>load<u32>(pattern) << 3)
}

/** The pattern of the entries [first, end). @returns 0 if there is no room for it */
export function patternOf(first: u32, end: u32): usize {
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
  if (!formed) {
    formed = true
    formPrecisions()
  }
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

/** Adds the conditional covariances to the statistics, by the patterns' sums of responsibilities. */
export function flushPatterns(): void {
  if (patternCount == 0) return
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
