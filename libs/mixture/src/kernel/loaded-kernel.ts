import type { Block } from '../block.ts'
import type { Parameters, Statistics } from '../family.ts'
import { type KernelExports, kernelExports } from './engine.ts'
import { covarianceNumber, type KernelShape } from './shape.ts'

const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI)

/** Doubles of features copied to the kernel at once: about the second-level cache. */
const CHUNK_VALUES = 1 << 17
/** Rows the kernel is laid out for at least, so that small blocks of changing size need no new layout. */
const LEAST_ROWS = 64

/** The compiled kernel's memory, laid out for one mixture shape. */
export interface LoadedKernel {
  readonly exports: KernelExports
  readonly shape: KernelShape
  /** rows it takes at once */
  readonly rows: number
}

/** What the thread's kernel holds: parameters are never changed in place, so the same arrays need not be copied again. */
let current: { readonly kernel: LoadedKernel; readonly held: readonly (Float64Array | undefined)[] } | undefined

/**
 * The kernel laid out for `shape` and up to `rows` rows at once, its statistics cleared, or undefined where the reference is to
 * run. Whoever writes statistics clears them.
 */
export function layOut(shape: KernelShape, rows: number): LoadedKernel | undefined {
  const exports = kernelExports()
  if (exports === undefined) return undefined
  const capacity = rowsAtOnce(shape, rows)
  if (current !== undefined && suits(current.kernel, exports, shape, capacity)) {
    current = { kernel: current.kernel, held: [] }
    return current.kernel
  }
  exports.configure(covarianceNumber(shape), shape.components, shape.columns, capacity)
  const kernel = { exports, shape, rows: capacity }
  current = { kernel, held: [] }
  return kernel
}

const suits = (kernel: LoadedKernel, exports: KernelExports, shape: KernelShape, rows: number): boolean =>
  kernel.exports === exports &&
  kernel.rows >= rows &&
  kernel.shape.components === shape.components &&
  kernel.shape.columns === shape.columns &&
  kernel.shape.covariance === shape.covariance

const rowsAtOnce = (shape: KernelShape, rows: number): number =>
  Math.max(LEAST_ROWS, Math.min(rows, Math.floor(CHUNK_VALUES / shape.columns)))

/**
 * The kernel laid out for `shape` and up to `rows` rows at once, holding `parameters`.
 * @param weights π (K), or undefined for densities of the components alone
 */
export function loadKernel(
  shape: KernelShape,
  rows: number,
  parameters: Parameters,
  weights: Float64Array | undefined,
): LoadedKernel | undefined {
  const { means, precisionsCholesky, logDeterminants, reference } = parameters
  const wanted = [weights, means, precisionsCholesky, logDeterminants, reference]
  const exports = kernelExports()
  if (
    current !== undefined &&
    exports !== undefined &&
    suits(current.kernel, exports, shape, rowsAtOnce(shape, rows)) &&
    current.held.length === wanted.length &&
    current.held.every((array, i) => array === wanted[i])
  )
    return current.kernel
  const kernel = layOut(shape, rows)
  if (kernel === undefined) return undefined
  copyParameters(kernel, parameters, weights)
  current = { kernel, held: wanted }
  return kernel
}

function copyParameters(kernel: LoadedKernel, parameters: Parameters, weights: Float64Array | undefined): void {
  const { exports, shape } = kernel
  const { components, columns } = shape
  const { means, precisionsCholesky, logDeterminants, reference } = parameters
  const constants = view(kernel, exports.constants.value, components)
  const pitch = (columns + 3) & ~3
  const target = view(kernel, exports.means.value, components * pitch)
  for (let k = 0; k < components; k++) {
    const logWeight = weights === undefined ? 0 : Math.log(weights[k]!)
    constants[k] = logWeight + (logDeterminants![k]! - columns * HALF_LOG_TWO_PI)
    for (let j = 0; j < columns; j++) target[k * pitch + j] = means![k * columns + j]!
  }
  view(kernel, exports.reference.value, columns).set(reference!)
  view(kernel, exports.factors.value, precisionsCholesky!.length).set(precisionsCholesky!)
  exports.prepare()
}

/** A view of the kernel's memory; void after the next layout. */
export function view(kernel: LoadedKernel, address: number, length: number): Float64Array {
  return new Float64Array(kernel.exports.memory.buffer, address, length)
}

/** Copies rows [from, to) to the kernel. */
export function copyRows(kernel: LoadedKernel, block: Block, from: number, to: number): void {
  const { columns } = block
  const target = view(kernel, kernel.exports.values.value, (to - from) * columns)
  target.set(block.values.subarray(from * columns, to * columns))
}

/** Adds the kernel's statistics to `into` and clears them. */
export function takeStatistics(kernel: LoadedKernel, into: Statistics): void {
  const { exports } = kernel
  const from = view(kernel, exports.statistics.value, exports.statisticsLength.value)
  for (let i = 0; i < from.length; i++) into[i]! += from[i]!
  exports.clearStatistics()
}
