import type { Block } from '../families/block.ts'
import type { Parameters, Statistics } from '../families/family.ts'
import { packedLength } from '../numerics/packed.ts'
import type { KernelExports } from './engine.ts'
import { covarianceNumber, type KernelShape } from './shape.ts'

const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI)

/** Doubles of features copied to the kernel at once: about the second-level cache. */
const CHUNK_VALUES = 1 << 17
/** Rows copied to the kernel at once where there are columns of levels: bounds the levels. */
export const LEVELLED_ROWS = 1024
/** Rows the kernel is laid out for at least, so that small blocks of changing size need no new layout. */
const LEAST_ROWS = 64

/** The compiled kernel's memory, laid out for one mixture shape. */
export interface LoadedKernel {
  readonly exports: KernelExports
  readonly shape: KernelShape
  /** rows it takes at once */
  readonly rows: number
  /** void after the next layout */
  readonly memory: KernelMemory
  /** shape (rows, columns of levels) */
  readonly codes: Uint32Array
}

/** Views of what assembly/memory.ts describes. Those of events are as long as there are `rows`. */
export type KernelMemory = Readonly<Record<keyof ReturnType<typeof lengthsOf>, Float64Array>>

function lengthsOf(shape: KernelShape, rows: number) {
  const { covariance, components, columns, levels } = shape
  const triangle = packedLength(columns)
  const matrices = { full: components * triangle, tied: triangle, diag: components * columns, spherical: components }
  const secondMoments = covariance === 'spherical' ? components * columns : matrices[covariance]
  return {
    constants: components,
    logWeights: components,
    reference: columns,
    means: components * pitchOf(columns),
    factors: matrices[covariance],
    values: rows * columns,
    weights: rows,
    posterior: rows * components,
    logDensity: rows,
    statistics: components * (1 + columns) + secondMoments,
    covariances: covariance === 'tied' ? 0 : matrices[covariance],
    estimatedMeans: components * columns,
    logDeterminants: components,
    settled: components,
    levelTable: levels * levelPitch(shape),
    levelSums: levels * levelPitch(shape),
  }
}

/** Doubles between two components' means. */
const pitchOf = (columns: number): number => (columns + 3) & ~3

/** Doubles between two levels' rows. */
export const levelPitch = ({ components }: KernelShape): number => (components + 1) & ~1

/** An instance of the compiled kernel. One at a time uses its memory: whoever loads it has it until the next one does. */
export class KernelInstance {
  readonly #exports: KernelExports
  /** log of `KernelOptions.negligible`, at least −708 (where exp underflows), nats */
  readonly cut: number
  /** whether f32 is wanted for scoring */
  readonly singlePrecision: boolean
  /** What lies there: parameters are never changed in place, so the same arrays need not be copied again. */
  #current: { readonly kernel: LoadedKernel; readonly held: readonly (Float64Array | undefined)[] } | undefined

  constructor(exports: KernelExports, cut: number, singlePrecision: boolean) {
    this.#exports = exports
    this.cut = cut
    this.singlePrecision = singlePrecision
  }

  /** The kernel laid out for `shape` and up to `rows` rows at once. Its statistics are whatever was there. */
  layOut(shape: KernelShape, rows: number): LoadedKernel {
    const exports = this.#exports
    const capacity = rowsAtOnce(shape, rows)
    if (this.#current !== undefined && suits(this.#current.kernel, shape, capacity)) {
      const { kernel } = this.#current
      this.#current = { kernel, held: [] }
      return kernel
    }
    const { components, columns, levelColumns, levels } = shape
    exports.configure(covarianceNumber(shape), components, columns, capacity, levelColumns, levels)
    const codes = new Uint32Array(exports.memory.buffer, exports.codes.value, capacity * levelColumns)
    const kernel = { exports, shape, rows: capacity, memory: viewMemory(exports, shape, capacity), codes }
    this.#current = { kernel, held: [] }
    return kernel
  }

  /**
   * The kernel laid out for `shape` and up to `rows` rows at once, holding `parameters`.
   * @param weights π (K), or undefined for densities of the components alone
   */
  load(shape: KernelShape, rows: number, parameters: Parameters, weights: Float64Array | undefined): LoadedKernel {
    const { means, precisionsCholesky, logDeterminants, reference } = parameters
    const wanted = [weights, means, precisionsCholesky, logDeterminants, reference]
    const current = this.#current
    if (
      current !== undefined &&
      suits(current.kernel, shape, rowsAtOnce(shape, rows)) &&
      current.held.length === wanted.length &&
      current.held.every((array, i) => array === wanted[i])
    )
      return current.kernel
    const kernel = this.layOut(shape, rows)
    copyParameters(kernel, parameters, weights)
    this.#current = { kernel, held: wanted }
    return kernel
  }
}

function viewMemory(exports: KernelExports, shape: KernelShape, rows: number): KernelMemory {
  const views = Object.entries(lengthsOf(shape, rows)).map(([name, length]) => {
    const address = exports[name as keyof KernelMemory].value
    return [name, new Float64Array(exports.memory.buffer, address, length)] as const
  })
  return Object.fromEntries(views) as KernelMemory
}

const suits = (kernel: LoadedKernel, shape: KernelShape, rows: number): boolean =>
  kernel.rows >= rows &&
  kernel.shape.components === shape.components &&
  kernel.shape.columns === shape.columns &&
  kernel.shape.covariance === shape.covariance &&
  kernel.shape.levels >= shape.levels &&
  (shape.levelColumns === 0 || kernel.shape.levelColumns === shape.levelColumns)

const rowsAtOnce = (shape: KernelShape, rows: number): number =>
  Math.max(
    LEAST_ROWS,
    Math.min(rows, Math.floor(CHUNK_VALUES / shape.columns), shape.levelColumns > 0 ? LEVELLED_ROWS : Infinity),
  )

function copyParameters(kernel: LoadedKernel, parameters: Parameters, weights: Float64Array | undefined): void {
  const { exports, shape, memory } = kernel
  const { components, columns } = shape
  const { means, precisionsCholesky, logDeterminants, reference } = parameters
  const { constants, logWeights, means: target } = memory
  const pitch = pitchOf(columns)
  for (let k = 0; k < components; k++) {
    const logWeight = weights === undefined ? 0 : Math.log(weights[k]!)
    logWeights[k] = logWeight
    constants[k] = logWeight + (logDeterminants![k]! - columns * HALF_LOG_TWO_PI)
    for (let j = 0; j < columns; j++) target[k * pitch + j] = means![k * columns + j]!
  }
  memory.reference.set(reference!)
  memory.factors.set(precisionsCholesky!)
  exports.prepare()
}

/** Copies rows [from, to) to the kernel. @param places the columns to copy, where not all are */
export function copyRows(
  kernel: LoadedKernel,
  block: Block,
  from: number,
  to: number,
  places?: readonly number[],
): void {
  const { columns, rows, values } = block
  const out = kernel.memory.values
  if (places === undefined) out.set(from === 0 && to === rows ? values : values.subarray(from * columns, to * columns))
  else
    for (let at = from * columns, end = to * columns, t = 0; at < end; at += columns)
      for (let i = 0; i < places.length; i++) out[t++] = values[at + places[i]!]!
}

/** Has the kernel go on adding to these sums. */
export function lendStatistics({ memory }: LoadedKernel, sums: Statistics): void {
  memory.statistics.set(sums)
}

/** The sums with what the kernel has added. */
export function takeStatistics({ memory }: LoadedKernel, sums: Statistics): void {
  sums.set(memory.statistics)
}
