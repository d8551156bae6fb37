import type { Block } from '../families/block.ts'
import type { Family, Parameters, Statistics } from '../families/family.ts'
import type { GaussianLayout } from '../families/gaussian/layout.ts'
import { copyRows, lendStatistics, loadKernel, takeStatistics } from './loaded-kernel.ts'
import { kernelShape } from './shape.ts'

/** The methods of a gaussian family that the compiled kernel has, for products of families and given responsibilities. */
export type CompiledGaussian = Pick<Family, 'observe' | 'logDensity'>

/** Statistics and densities by the compiled kernel, where it runs; otherwise, and of values too large for f64, by `reference`. */
export function compiledGaussian(layout: GaussianLayout, reference: CompiledGaussian): CompiledGaussian {
  const { components } = layout
  const shape = kernelShape(layout)

  /** @returns false, with `into` untouched, if the kernel does not take some row */
  const observe = (into: Statistics, block: Block, responsibilities: Float64Array, parameters: Parameters): boolean => {
    const kernel = loadKernel(shape, block.rows, parameters, undefined)
    if (kernel === undefined) return false
    const { exports } = kernel
    const several = block.rows > kernel.rows
    const sums = several ? into.slice() : into
    for (let from = 0; from < block.rows; from += kernel.rows) {
      const to = Math.min(block.rows, from + kernel.rows)
      copyRows(kernel, block, from, to)
      kernel.memory.posterior.set(responsibilities.subarray(from * components, to * components))
      lendStatistics(kernel, sums)
      if (!Number.isFinite(exports.observe(to - from))) return false
      takeStatistics(kernel, sums)
    }
    if (several) into.set(sums)
    return true
  }

  /** @returns false if the kernel does not take some row */
  const logDensity = (parameters: Parameters, block: Block, out: Float64Array): boolean => {
    const kernel = loadKernel(shape, block.rows, parameters, undefined)
    if (kernel === undefined) return false
    const { exports } = kernel
    for (let from = 0; from < block.rows; from += kernel.rows) {
      const to = Math.min(block.rows, from + kernel.rows)
      copyRows(kernel, block, from, to)
      if (Number.isNaN(exports.densitiesOf(to - from))) return false
      out.set(kernel.memory.posterior.subarray(0, (to - from) * components), from * components)
    }
    return true
  }

  return {
    observe(into, block, responsibilities, parameters) {
      if (!observe(into, block, responsibilities, parameters))
        reference.observe(into, block, responsibilities, parameters)
    },

    logDensity(parameters, block, out) {
      if (!logDensity(parameters, block, out)) reference.logDensity(parameters, block, out)
    },
  }
}
