import type { GaussianKernel } from '../families/gaussian/gaussian-kernel.ts'
import { compiledMaximise } from './compiled-maximise.ts'
import { copyRows, type KernelInstance, lendStatistics, takeStatistics } from './loaded-kernel.ts'
import { kernelShape } from './shape.ts'

/** What the compiled kernel does of gaussian components, for products of families and given responsibilities. */
export function compiledGaussian(instance: KernelInstance): GaussianKernel {
  return {
    observe(layout, into, block, responsibilities, parameters) {
      const { components } = layout
      const kernel = instance.load(kernelShape(layout), block.rows, parameters, undefined)
      const several = block.rows > kernel.rows
      const sums = several ? into.slice() : into
      for (let from = 0; from < block.rows; from += kernel.rows) {
        const to = Math.min(block.rows, from + kernel.rows)
        copyRows(kernel, block, from, to)
        kernel.memory.posterior.set(responsibilities.subarray(from * components, to * components))
        lendStatistics(kernel, sums)
        if (!Number.isFinite(kernel.exports.observe(to - from))) return false
        takeStatistics(kernel, sums)
      }
      if (several) into.set(sums)
      return true
    },

    logDensity(layout, parameters, block, out) {
      const { components } = layout
      const kernel = instance.load(kernelShape(layout), block.rows, parameters, undefined)
      for (let from = 0; from < block.rows; from += kernel.rows) {
        const to = Math.min(block.rows, from + kernel.rows)
        copyRows(kernel, block, from, to)
        if (Number.isNaN(kernel.exports.densitiesOf(to - from))) return false
        out.set(kernel.memory.posterior.subarray(0, (to - from) * components), from * components)
      }
      return true
    },

    maximise: (...args) => compiledMaximise(instance, ...args),
  }
}
