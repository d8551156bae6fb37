// Entry points of the compiled kernel: E-step, statistics and scoring of gaussian mixtures, one chunk of events a call.
import { diagonalDensities, momentSums, sphericalDensities } from './diagonal'
import { addLevels, lookUp, sumLevels } from './levels'
import {
  BLOCK,
  DENSITY_PITCH,
  DIAGONAL,
  FULL,
  TIED,
  additions,
  blockWeights,
  columns,
  components,
  constants,
  covariance,
  densities,
  factorPanels,
  factors,
  far,
  gathered,
  incompleteRows,
  meanPitch,
  means,
  paddedColumns,
  panels,
  reference,
  statistics,
  statisticsLength,
  tiles,
  triangle,
  weights,
  whitenedMeans,
} from './memory'
import {
  addMarginals,
  clearColumns,
  clearMissing,
  fillColumns,
  fillTiles,
  findMissing,
  flushMissing,
  forgetIncomplete,
  forgetMissing,
  incomplete,
  listComplete,
  setUnknown,
} from './missing'
import { packColumns, packColumnsWithSquares, packTiles } from './pack'
import { exactDensities, prunedDensities } from './prune'
import { scatter } from './scatter'
import { factorsOf, offsetsOf, roundFactors } from './single'
import {
  EXP_UNDERFLOW,
  listActive,
  maxima,
  normalise,
  readResponsibilities,
  responsibilities,
  writeDensities,
  writePosterior,
} from './softmax'
import { factorPanelsLength, packFactor, tileRows, triangularTile, whitenTile } from './triangular'

export { maximise } from './maximise'
export { configure } from './memory'
export {
  activeCount,
  codes,
  constants,
  covariances,
  estimatedMeans,
  factors,
  levelSums,
  levelTable,
  logDensity,
  logDeterminants,
  logWeights,
  means,
  posterior,
  reference,
  settled,
  statistics,
  statisticsLength,
  values,
  weights,
} from './memory'

/** Beyond it a mean is so far from the reference, in its component's standard deviations, that L⁻¹ (x−c) − L⁻¹ (m−c) loses digits. */
const FAR: f64 = 256

let anyFar: bool = false
/** Whether the factors are there in f32 too. */
let rounded: bool = false

/** Call once after the parameters are written: rearranges the factors, and forms u_k = L⁻¹ (m_k − c). */
export function prepare(): void {
  anyFar = false
  rounded = false
  forgetMissing()
  if (covariance > TIED) return
  const length = (<usize>triangle) << 3
  const panelBytes = <usize>factorPanelsLength(panels) << 3
  for (let k = 0; k < components; k++) {
    const mean = means + <usize>k * meanPitch
    const out = whitenedMeans + <usize>k * meanPitch
    const factor = covariance == FULL ? factors + <usize>k * length : factors
    memory.fill(out, 0, meanPitch)
    let row = factor
    let norm = 0.0
    for (let j = 0; j < columns; j++) {
      let sum = 0.0
      for (let i = 0; i <= j; i++, row += 8)
        sum += load<f64>(row) * (load<f64>(mean + (<usize>i << 3)) - load<f64>(reference + (<usize>i << 3)))
      store<f64>(out + (<usize>j << 3), sum)
      norm = max(norm, abs(sum))
    }
    if (covariance == FULL || k == 0) packFactor(factor, factorPanels + <usize>k * panelBytes)
    // Zero u together with x − m instead of x − c: see blockDensities.
    if (covariance == FULL && norm > FAR) memory.fill(out, 0, meanPitch)
    if (covariance == FULL && norm > FAR) anyFar = true
    store<u32>(far + (<usize>k << 2), u32(norm > FAR))
  }
}

/** Fills `densities` of a block in precision T, but for what is added to those of marginals. */
function blockDensities<T>(row: i32, rows: i32): void {
  const tileBytes = (<usize>paddedColumns) << 5
  if (covariance == FULL) {
    let shift: usize = 0
    for (let k = 0; k < components; k++) {
      const wanted = load<u32>(far + (<usize>k << 2)) ? means + <usize>k * meanPitch : reference
      if (wanted != shift) packTiles<T>(row, rows, (shift = wanted), paddedColumns)
      if (incomplete > 0) fillTiles(k, shift)
      const constant = load<f64>(constants + (<usize>k << 3))
      const factor = factorsOf<T>(k)
      const offset = offsetsOf<T>(k)
      let out = densities + <usize>k * DENSITY_PITCH
      let tile = tiles
      for (let first = 0; first < rows; first += tileRows<T>(), out += tileRows<T>() << 3, tile += tileBytes)
        triangularTile<T>(tile, factor, offset, constant, out, panels)
    }
  } else if (covariance == TIED) {
    packTiles<f64>(row, rows, reference, paddedColumns)
    let tile = tiles
    for (let first = 0; first < rows; first += 4, tile += tileBytes) whitenTile(tile, factors)
    sphericalDensities(rows, whitenedMeans, true, false)
    if (incomplete > 0) tiedMarginals(row, rows)
  } else {
    packTiles<f64>(row, rows, 0, paddedColumns)
    if (covariance == DIAGONAL) diagonalDensities(rows, means, incomplete > 0)
    else sphericalDensities(rows, means, false, incomplete > 0)
  }
  if (incomplete > 0) setUnknown()
}

/** Densities of a block's incomplete rows under a tied covariance, whose fills differ from component to component. */
function tiedMarginals(row: i32, rows: i32): void {
  packTiles<f64>(row, rows, reference, paddedColumns)
  const tileBytes = (<usize>paddedColumns) << 5
  const result = gathered + tileBytes
  for (let k = 0; k < components; k++) {
    fillTiles(k, reference)
    const constant = load<f64>(constants + (<usize>k << 3))
    const offset = whitenedMeans + <usize>k * meanPitch
    for (let i: usize = 0; i < <usize>incomplete; i++) {
      const n = <usize>load<u32>(incompleteRows + (i << 2))
      triangularTile<f64>(tiles + (n >> 2) * tileBytes, factorPanels, offset, constant, result, panels)
      store<f64>(densities + <usize>k * DENSITY_PITCH + (n << 3), load<f64>(result + ((n & 3) << 3)))
    }
  }
}

/** What is added to the densities of a block, to `additions`. */
function prepareAdditions(row: i32, rows: i32, levelColumns: i32): void {
  if (levelColumns > 0) lookUp(row, rows, levelColumns)
  else if (incomplete > 0) memory.fill(additions, 0, <usize>components * DENSITY_PITCH)
  if (incomplete > 0) addMarginals()
}

/** Whether to look for missing values beforehand: that costs a little, and so does a block in vain. */
let mayMiss: bool = false
let someMissing: bool = false

/** The rows of the next block, at most `rows`; tells what is missing in it. */
function nextBlock(row: i32, rows: i32, look: bool): i32 {
  if (!look) {
    forgetIncomplete()
    return rows
  }
  const count = findMissing(row, rows)
  if (incomplete > 0) someMissing = true
  return count
}

/** Log-likelihoods at or below it are an overflow's. */
const LOWEST: f64 = -1e290

/** Blocks that are worked on exhaustively after one in which pruning did not pay. */
const PATIENCE: i32 = 15
/** Share of the exhaustive work up to which pruning pays: it gathers rows and looks for the best component besides. */
const WORTHWHILE: f64 = 0.75
let exhaustive: i32 = 0

/** As `blockDensities`, with what `levelColumns` add; but negligible ones may be −∞. Columns are packed for full covariance. */
function significantDensities<T>(row: i32, rows: i32, cut: f64, levelColumns: i32): void {
  if (covariance == FULL) packColumns(row, rows)
  prepareAdditions(row, rows, levelColumns)
  const prunable = covariance == FULL && cut > EXP_UNDERFLOW && panels > 1 && components > 2
  if (!prunable || anyFar || incomplete > 0 || exhaustive > 0) {
    exhaustive--
    blockDensities<T>(row, rows)
    if (levelColumns > 0 || incomplete > 0) addLevels(rows)
    return
  }
  if (prunedDensities<T>(row, rows, cut, levelColumns > 0) > WORTHWHILE) exhaustive = PATIENCE
}

/**
 * As `significantDensities` for full covariance, but in f32 where that will do: not for events with missing values, nor for those whose
 * largest density is below `least`. What is done in f32 does not depend on the other events of a block.
 */
function roundedDensities(row: i32, rows: i32, cut: f64, levelColumns: i32, least: f64): void {
  if (!rounded) roundFactors()
  rounded = true
  const added = levelColumns > 0 || incomplete > 0
  if (incomplete > 0) {
    significantDensities<f64>(row, rows, cut, levelColumns)
    exactDensities<f32>(listComplete(rows, Infinity), added)
  } else significantDensities<f32>(row, rows, cut, levelColumns)
  maxima(rows)
  exactDensities<f64>(listComplete(rows, least), added)
}

/** Event weights of a block (1 unless `weighted`), zeros behind the last row up to a multiple of 4. */
function setBlockWeights(row: i32, rows: i32, weighted: bool): void {
  const end = blockWeights + (<usize>rows << 3)
  let from = weights + (<usize>row << 3)
  for (let at = blockWeights; at < end; at += 16, from += 16)
    v128.store(at, weighted ? v128.load(from) : f64x2.splat(1))
  for (let at = end; at & 31; at += 8) store<f64>(at, 0)
}

/** Adds component k's share of a block to s1 and S2 of full covariance, or tied where values are missing; its responsibilities stand in `densities`. */
function addFull(rows: i32, k: i32, active: i32): void {
  const moments = statistics + ((<usize>components) << 3)
  const second = moments + (<usize>(components * columns) << 3)
  if (incomplete > 0) fillColumns(k)
  scatter(
    rows,
    densities + <usize>k * DENSITY_PITCH,
    active,
    moments + ((<usize>k * <usize>columns) << 3),
    covariance == FULL ? second + ((<usize>k * <usize>triangle) << 3) : second,
  )
}

/** Statistics of the other covariance types; for tied, `blockWeights` are the event weights. */
function addOthers(row: i32, rows: i32): void {
  if (covariance >= DIAGONAL) {
    packColumnsWithSquares(row, rows)
    if (incomplete > 0) clearColumns()
    momentSums(rows, true)
  } else if (incomplete > 0) {
    packColumns(row, rows)
    for (let k = 0; k < components; k++) addFull(rows, k, -1)
  } else {
    packColumns(row, rows)
    momentSums(rows, false)
    scatter(rows, blockWeights, -1, 0, statistics + (<usize>(components + components * columns) << 3))
  }
}

/**
 * E-step of `rows` events: adds their expected statistics to `statistics`, which the host has written.
 * Stops at the first block with an overflow; the statistics are then void.
 * @param cut log of the share of an event's largest density at or below which a component is left out; ≤ −708 for none
 * @param levelColumns columns of levels, whose codes and table the host has written; 0 for none
 * @returns Σ w log p(x) in nats, or NaN if it stopped
 */
export function expectation(rows: i32, weighted: bool, cut: f64, levelColumns: i32): f64 {
  let total = 0.0
  exhaustive = 0
  someMissing = false
  clearMissing()
  for (let row = 0; row < rows; ) {
    const count = nextBlock(row, min(BLOCK, rows - row), mayMiss)
    significantDensities<f64>(row, count, cut, levelColumns)
    setBlockWeights(row, count, weighted)
    const value = responsibilities(count, weighted, cut)
    if (!(value > LOWEST)) {
      if (mayMiss) {
        clearMissing()
        return NaN
      }
      mayMiss = true
      continue
    }
    total += value
    for (let k = 0; k < components; k++) {
      normalise(k, count)
      if (covariance == FULL) addFull(count, k, cut > EXP_UNDERFLOW ? listActive(k, count) : -1)
    }
    if (levelColumns > 0) sumLevels(row, count, levelColumns)
    if (covariance != FULL) {
      if (covariance == TIED) setBlockWeights(row, count, weighted)
      addOthers(row, count)
    }
    row += count
  }
  finish()
  return total
}

/** Adds what was summed of missing values to the statistics. */
function finish(): void {
  if (someMissing) flushMissing()
  mayMiss = someMissing
}

/**
 * Adds the statistics of `rows` events under the responsibilities that the host wrote to `posterior` (rows, K).
 * @returns a sum of all statistics: not finite if one of them is not
 */
export function observe(rows: i32): f64 {
  someMissing = false
  clearMissing()
  for (let row = 0; row < rows; ) {
    const count = nextBlock(row, min(BLOCK, rows - row), true)
    readResponsibilities(row, count)
    if (covariance == FULL) {
      packColumns(row, count)
      for (let k = 0; k < components; k++) addFull(count, k, listActive(k, count))
    } else addOthers(row, count)
    row += count
  }
  finish()
  let sum = f64x2.splat(0)
  const end = statistics + (<usize>(statisticsLength + 1) << 3)
  store<f64>(end - 8, 0)
  for (let at = statistics; at + 8 < end; at += 16) sum = f64x2.add(sum, v128.load(at))
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)
}

/**
 * Posterior probabilities and log p(x) of `rows` events, to `posterior` and `logDensity`.
 * @param cut and `levelColumns` as above
 * @param least log density, nats, from which on an event may be scored in f32; ∞ for all in f64
 * @returns Σ log p(x) in nats; NaN as above
 */
export function score(rows: i32, cut: f64, levelColumns: i32, least: f64): f64 {
  let total = 0.0
  exhaustive = 0
  someMissing = false
  for (let row = 0; row < rows; ) {
    const count = nextBlock(row, min(BLOCK, rows - row), mayMiss)
    if (covariance == FULL && least < Infinity && !anyFar) roundedDensities(row, count, cut, levelColumns, least)
    else significantDensities<f64>(row, count, cut, levelColumns)
    setBlockWeights(row, count, false)
    const value = writePosterior(row, count, cut)
    if (!(value > LOWEST)) {
      if (mayMiss) return NaN
      mayMiss = true
      continue
    }
    total += value
    row += count
  }
  mayMiss = someMissing
  return total
}

/** The components' log densities of `rows` events to `posterior` (rows, K), `constants` included. @returns NaN if one is */
export function densitiesOf(rows: i32): f64 {
  let total = 0.0
  for (let row = 0; row < rows; ) {
    const count = nextBlock(row, min(BLOCK, rows - row), true)
    prepareAdditions(row, count, 0)
    blockDensities<f64>(row, count)
    if (incomplete > 0) addLevels(count)
    total += writeDensities(row, count)
    row += count
  }
  return total
}
