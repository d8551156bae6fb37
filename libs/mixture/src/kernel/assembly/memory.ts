// Where everything lies in the kernel's memory. `configure` lays out one mixture shape; the host writes the parameters and a
// chunk of events, calls an entry point of index.ts, and reads the results at the same addresses.

import { factorPanelsLength } from './triangular'

/** Events are worked on in blocks of this many rows: a block's packed copies and its densities stay in the L1/L2 cache. */
export const BLOCK: i32 = 64
/** Bytes between two components' densities of a block. */
export const DENSITY_PITCH: usize = 64 * 8
/** Bytes between two column panels of a block (a little more than 64 rows × 4 columns, against cache-set aliasing). */
export const PANEL_PITCH: usize = (64 + 4) * 32
/** Bytes between two column panels that carry values and squares. */
export const SQUARE_PANEL_PITCH: usize = (64 + 2) * 64

/** Patterns of missing values that are remembered at once, a power of 2, and doubles for what is known of them. */
export const MOST_PATTERNS: i32 = 256
export let arenaDoubles: i32 = 0

export const FULL: i32 = 0
export const TIED: i32 = 1
export const DIAGONAL: i32 = 2
export const SPHERICAL: i32 = 3

/** One of FULL, TIED, DIAGONAL, SPHERICAL. */
export let covariance: i32 = 0
/** K */
export let components: i32 = 0
/** d */
export let columns: i32 = 0
/** ⌈d/4⌉ */
export let panels: i32 = 0
/** d rounded up to whole panels of 4 columns. */
export let paddedColumns: i32 = 0
/** p = d(d+1)/2, the length of a packed lower triangle. */
export let triangle: i32 = 0
/** Bytes between two components' means. */
export let meanPitch: usize = 0

// Parameters, written by the host. All addresses are multiples of 16.
/** (K): log w_k − ½ (d log 2π + log |Σ_k|) */
export let constants: usize = 0
/** (K): log w_k */
export let logWeights: usize = 0
/** (d): the reference point c of the statistics, zeros behind it up to whole panels. */
export let reference: usize = 0
/** (K, padded d): means, zeros behind each. */
export let means: usize = 0
/** full (K, p), tied (p): packed lower triangles of L⁻¹; diagonal (K, d), spherical (K): L⁻¹'s diagonal, 1/σ. */
export let factors: usize = 0

/** Bytes of a level's row. */
export let levelPitch: usize = 0
/** (levels, K, even): log probabilities, written by the host. */
export let levelTable: usize = 0

// A chunk of events.
/** Rows a chunk may hold, a multiple of BLOCK. */
export let chunkRows: i32 = 0
/** (rows, d) row-major, written by the host. */
export let values: usize = 0
/** u32 (rows, columns of levels) row-major, written by the host: where each value's level lies in `levelTable`, in bytes. */
export let codes: usize = 0
/** (rows): event weights, written by the host. */
export let weights: usize = 0
/** (rows, K) row-major: posterior probabilities or responsibilities. */
export let posterior: usize = 0
/** (rows): log p(x) in nats. */
export let logDensity: usize = 0
/** The statistics, flat: s0 (K) | s1 (K, d) | S2. */
export let statistics: usize = 0
export let statisticsLength: i32 = 0
/** (levels, K, even): responsibilities by level; the host clears them. */
export let levelSums: usize = 0

// The M-step's.
/** full (K, p), diagonal (K, d), spherical (K): covariances. */
export let covariances: usize = 0
/** (K, d) */
export let estimatedMeans: usize = 0
/** (K): log |L⁻¹|, nats. */
export let logDeterminants: usize = 0
/** (K): 1 for components that the M-step has estimated, else 0. */
export let settled: usize = 0
/** (d): mean of all events about the reference. */
export let overallMean: usize = 0
/** (d): variance of all events, zeros behind it up to whole panels. */
export let overallVariance: usize = 0
/** Panels of one Cholesky factor, see triangular.ts. */
export let choleskyPanels: usize = 0
/** [row][4]: right-hand sides of a forward substitution. */
export let solveTile: usize = 0
/** (d, padded d): V^−½ Σ V^−½ of a component to be regularised, then its eigenvectors, one a row; before it a packed Σ − floor V. */
export let square: usize = 0
/** (padded d): √ of the features' overall variances. */
export let units: usize = 0
/** (d): eigenvalues; the tridiagonal matrix's other diagonal; of the reflection that clears row i, ½ ‖u‖². */
export let eigenvalues: usize = 0
export let offDiagonal: usize = 0
export let halfNorms: usize = 0
/** (padded d): a matrix times a vector, zeros behind it. */
export let product: usize = 0

// Scratch of one block.
/** [row/4][column][4]: events of a tile side by side. */
export let tiles: usize = 0
/** [column/4][row][4] centred, or with squares [column/4][row][4 + 4]. */
export let columnPanels: usize = 0
/** [row][4]: one column panel times the responsibilities. */
export let weightedPanel: usize = 0
/** (K, 64): log densities, then responsibilities. */
export let densities: usize = 0
/** (64): event weights of the block, zeros behind the last row. */
export let blockWeights: usize = 0
/** (K, panels of L⁻¹), see triangular.ts. */
export let factorPanels: usize = 0
/** u32 (K): 1 if the mean is far from the reference. */
export let far: usize = 0
/** (K, padded d): L⁻¹ (m − c), of full and tied components. */
export let whitenedMeans: usize = 0
/** f32: `factorPanels` and `whitenedMeans`. */
export let singlePanels: usize = 0
export let singleMeans: usize = 0
/** (64): the largest log density of each event. */
export let largest: usize = 0
/** (64): Σ_k exp(l_k − largest) of each event. */
export let sums: usize = 0
/** (64): the component with the largest bound of each event, and that one's exact density. */
export let best: usize = 0
export let exact: usize = 0
/** A tile of rows from anywhere in the block, their results (8) and limits (32 bytes). */
export let gathered: usize = 0
/** u32 (64): the rows that a component takes part in. */
export let activeRows: usize = 0
/** (K + 1, 64): what the columns of levels add to the log densities. */
export let additions: usize = 0
/** u32 (64): the incomplete rows of a block; (65): where each one's entries begin; (64 · d): the missing columns, entry by entry. */
export let incompleteRows: usize = 0
export let entryStarts: usize = 0
export let entryColumns: usize = 0
/** (64): the pattern of each incomplete row. */
export let patterns: usize = 0
/** (K, 64 · d): conditional means of the entries about the component's. */
export let fills: usize = 0
/** ⌈d/64⌉: words of a pattern's bits. */
export let patternWords: i32 = 0
export let wordScratch: usize = 0
/** (2 · MOST_PATTERNS): addresses by hash, and what they point to, see missing.ts. */
export let patternTable: usize = 0
export let patternArena: usize = 0
/** (K or 1, d, padded d): Λ. */
export let precisions: usize = 0
/** (2, padded d): a row's deviations, and another vector. */
export let deviation: usize = 0
/** (d, K): constants of missing columns, and sums of responsibilities where they are missing. */
export let missingConstants: usize = 0
export let missingWeights: usize = 0
/** [row][K, even]: responsibilities of a block. */
export let levelRows: usize = 0
/** Events times components whose responsibility was above the threshold, since `configure`. */
export let activeCount: f64 = 0

let top: usize = 0

function reserve(doubles: i32): usize {
  const at = top
  top = (top + ((<usize>doubles) << 3) + 63) & ~63
  return at
}

/**
 * Lays out the memory of one mixture shape, growing it if needed, and zeroes what must be zero.
 * @param levelColumns columns of levels besides the d of numbers
 * @param levels most levels of a chunk
 */
export function configure(kind: i32, k: i32, d: i32, rows: i32, levelColumns: i32, levels: i32): void {
  covariance = kind
  components = k
  columns = d
  panels = (d + 3) >> 2
  paddedColumns = panels << 2
  triangle = (d * (d + 1)) >> 1
  meanPitch = (<usize>paddedColumns) << 3
  levelPitch = (<usize>((k + 1) & ~1)) << 3
  chunkRows = (rows + BLOCK - 1) & ~(BLOCK - 1)
  const matrices = kind == FULL ? k : 1
  const second = kind == FULL ? k * triangle : kind == TIED ? triangle : k * d
  statisticsLength = k + k * d + second

  top = (__heap_base + 63) & ~63
  constants = reserve(k)
  logWeights = reserve(k)
  reference = reserve(paddedColumns)
  means = reserve(k * paddedColumns)
  // What the M-step estimates lies together, so that the host copies it at once.
  estimatedMeans = reserve(k * d)
  covariances = reserve((kind == FULL ? k * triangle : kind == DIAGONAL ? k * d : k) + 2)
  factors = reserve(kind == FULL ? k * triangle : kind == TIED ? triangle : kind == DIAGONAL ? k * d : k)
  logDeterminants = reserve(k)
  settled = reserve(k)
  values = reserve(chunkRows * d + 8)
  codes = reserve((chunkRows * levelColumns + 1) >> 1)
  levelTable = reserve(levels * <i32>(levelPitch >> 3))
  levelSums = reserve(levels * <i32>(levelPitch >> 3))
  weights = reserve(chunkRows)
  posterior = reserve(chunkRows * k + 8)
  logDensity = reserve(chunkRows)
  statistics = reserve(statisticsLength + 2)
  overallMean = reserve(paddedColumns)
  overallVariance = reserve(paddedColumns)
  choleskyPanels = reserve(kind == FULL ? factorPanelsLength(panels) : 0)
  solveTile = reserve(paddedColumns * 8 + 8)
  square = reserve(kind == FULL ? d * paddedColumns : 0)
  units = reserve(paddedColumns)
  eigenvalues = reserve(d)
  offDiagonal = reserve(d)
  halfNorms = reserve(d)
  product = reserve(paddedColumns)
  tiles = reserve(BLOCK * paddedColumns)
  columnPanels = reserve(kind >= DIAGONAL ? panels * (<i32>SQUARE_PANEL_PITCH >> 3) : panels * (<i32>PANEL_PITCH >> 3))
  weightedPanel = reserve(<i32>PANEL_PITCH >> 3)
  densities = reserve((k + 1) * BLOCK)
  blockWeights = reserve(BLOCK)
  factorPanels = reserve(kind <= TIED ? matrices * factorPanelsLength(panels) : 0)
  far = reserve(k)
  whitenedMeans = reserve(k * paddedColumns)
  singlePanels = reserve(kind == FULL ? (matrices * factorPanelsLength(panels)) >> 1 : 0)
  singleMeans = reserve((k * paddedColumns) >> 1)
  largest = reserve(BLOCK)
  sums = reserve(BLOCK)
  best = reserve(BLOCK)
  exact = reserve(BLOCK)
  gathered = reserve(paddedColumns * 4 + 12)
  activeRows = reserve(BLOCK)
  additions = reserve((k + 1) * BLOCK)
  levelRows = reserve(levelColumns > 0 ? BLOCK * <i32>(levelPitch >> 3) : 0)
  incompleteRows = reserve(BLOCK)
  entryStarts = reserve(BLOCK)
  entryColumns = reserve(BLOCK * d)
  patterns = reserve(BLOCK)
  patternWords = (d + 63) >> 6
  wordScratch = reserve(patternWords)
  deviation = reserve(2 * paddedColumns)
  const triangular = kind <= TIED
  fills = reserve(triangular ? k * BLOCK * d : 0)
  precisions = reserve(triangular ? matrices * d * paddedColumns : 0)
  patternTable = reserve(triangular ? 2 * MOST_PATTERNS : 0)
  // One pattern at least has room, whatever is missing.
  arenaDoubles = triangular ? max(1 << 17, 1 + patternWords + d + 2 * k + matrices * triangle) : 0
  patternArena = reserve(arenaDoubles)
  missingConstants = reserve(triangular ? 0 : d * k)
  missingWeights = reserve(triangular ? 0 : d * k)
  const pages = <i32>((top + 0xffff) >> 16) - memory.size()
  if (pages > 0) if (memory.grow(pages) < 0) unreachable()
  memory.fill(reference, 0, paddedColumns << 3)
  memory.fill(overallVariance, 0, paddedColumns << 3)
  memory.fill(means, 0, (k * paddedColumns) << 3)
  memory.fill(densities + <usize>k * DENSITY_PITCH, 0, DENSITY_PITCH)
  memory.fill(levelSums, 0, <usize>levels * levelPitch)
  activeCount = 0
}

export function countActive(count: f64): void {
  activeCount += count
}
