import type { Block } from '../families/block.ts'
import type { Parameters, Statistics } from '../families/family.ts'
import type { KernelForm } from './form.ts'
import { type LoadedKernel, levelPitch } from './loaded-kernel.ts'

/**
 * Writes codes and log probabilities of rows [from, to) to the kernel.
 * @returns the number of each family's first level, and behind them the number of levels; the first of all is that of missing values
 */
export function writeLevels(
  kernel: LoadedKernel,
  { levelled, shape }: KernelForm,
  parameters: Parameters,
  block: Block,
  from: number,
  to: number,
): readonly number[] {
  const pitch = levelPitch(shape)
  const { levelTable } = kernel.memory
  const size = pitch * levelTable.BYTES_PER_ELEMENT
  const firsts = [1]
  levelTable.fill(0, 0, pitch)
  let offset = 0
  let first = 1
  for (const { levels, places, parameters: own } of levelled) {
    const target = { codes: kernel.codes, stride: shape.levelColumns, offset, first, size }
    const count = levels.encode(block, places, from, to, target)
    levels.logProbabilities(own(parameters), levelTable.subarray(first * pitch), pitch)
    offset += places.length
    first += count
    firsts.push(first)
  }
  return firsts
}

/** Adds the statistics of the columns of levels to `into`; s0 they share with the kernel's own, which went on from those in `into`. */
export function addLevelSums(
  kernel: LoadedKernel,
  { levelled, shape }: KernelForm,
  firsts: readonly number[],
  into: Statistics,
): void {
  const pitch = levelPitch(shape)
  const { levelSums, statistics } = kernel.memory
  for (const [f, { levels, statistics: range }] of levelled.entries()) {
    const own = into.subarray(range.from, range.to)
    for (let k = 0; k < shape.components; k++) own[k] = statistics[k]!
    levels.addSums(own, levelSums.subarray(firsts[f]! * pitch), pitch)
  }
}

/** Clears the sums of the first `count` levels. */
export function clearLevelSums(kernel: LoadedKernel, { shape }: KernelForm, count: number): void {
  kernel.memory.levelSums.fill(0, 0, count * levelPitch(shape))
}
