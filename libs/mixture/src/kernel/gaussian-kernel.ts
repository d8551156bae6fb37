import type { Block } from '../block.ts'
import type { Parameters, Statistics } from '../family.ts'
import type { KernelExports } from './engine.ts'
import { covarianceNumber, type KernelShape } from './shape.ts'

const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI)

/** Doubles of features copied to the kernel at once: about the second-level cache. */
const CHUNK_VALUES = 1 << 17

/** The compiled kernel's memory, laid out for one mixture shape. */
export interface LoadedKernel {
  readonly exports: KernelExports
  readonly shape: KernelShape
  /** rows it takes at once */
  readonly rows: number
}

/** Lays out the kernel for `shape` and at most `rows` rows at once. */
export function layOut(exports: KernelExports, shape: KernelShape, rows: number): LoadedKernel {
  const most = Math.max(64, Math.floor(CHUNK_VALUES / shape.columns))
  const capacity = Math.min(rows, most)
  exports.configure(covarianceNumber(shape), shape.components, shape.columns, capacity)
  return { exports, shape, rows: capacity }
}

/** A view of the kernel's memory; void after the next `layOut`. */
export function view(kernel: LoadedKernel, address: number, length: number): Float64Array {
  return new Float64Array(kernel.exports.memory.buffer, address, length)
}

/** Copies the mixture's parameters to the kernel. */
export function loadParameters(kernel: LoadedKernel, parameters: Parameters): void {
  const { exports, shape } = kernel
  const { components, columns } = shape
  const { weights, means, precisionsCholesky, logDeterminants, reference } = parameters
  const constants = view(kernel, exports.constants.value, components)
  const pitch = (columns + 3) & ~3
  const target = view(kernel, exports.means.value, components * pitch)
  for (let k = 0; k < components; k++) {
    constants[k] = Math.log(weights![k]!) + (logDeterminants![k]! - columns * HALF_LOG_TWO_PI)
    for (let j = 0; j < columns; j++) target[k * pitch + j] = means![k * columns + j]!
  }
  view(kernel, exports.reference.value, columns).set(reference!)
  view(kernel, exports.factors.value, precisionsCholesky!.length).set(precisionsCholesky!)
  exports.prepare()
}

/** Copies rows [from, to) to the kernel. */
export function loadRows(kernel: LoadedKernel, block: Block, from: number, to: number): void {
  const { columns } = block
  view(kernel, kernel.exports.values.value, (to - from) * columns).set(
    block.values.subarray(from * columns, to * columns),
  )
}

/** Copies the event weights of rows [from, to) to the kernel. */
export function loadWeights(kernel: LoadedKernel, weights: Float64Array, from: number, to: number): void {
  view(kernel, kernel.exports.weights.value, to - from).set(weights.subarray(from, to))
}

/** Adds the kernel's statistics to `into` and clears them. */
export function takeStatistics(kernel: LoadedKernel, into: Statistics): void {
  const { exports } = kernel
  const from = view(kernel, exports.statistics.value, exports.statisticsLength.value)
  for (let i = 0; i < from.length; i++) into[i]! += from[i]!
  exports.clearStatistics()
}
