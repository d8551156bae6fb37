import type { Block } from '../block.ts'
import type { Family, Parameters, Statistics } from '../family.ts'
import { copyRows, layOut, loadKernel, takeStatistics, view } from './loaded-kernel.ts'
import { completeness, gatherRows } from './rows.ts'
import type { KernelShape } from './shape.ts'

/** The methods of a gaussian family that the compiled kernel has, for products of families and hard assignments. */
export type CompiledGaussian = Pick<Family, 'observe' | 'logDensity'>

/** Statistics and densities by the compiled kernel, where it runs; otherwise, and for missing values, by `reference`. */
export function compiledGaussian(shape: KernelShape, reference: CompiledGaussian): CompiledGaussian {
  const { components } = shape

  const observe = (
    into: Statistics,
    block: Block,
    responsibilities: Float64Array,
    parameters: Parameters,
    from = 0,
    to = block.rows,
  ): boolean => {
    const kernel = layOut(shape, to - from)
    if (kernel === undefined) return false
    const { exports } = kernel
    view(kernel, exports.reference.value, shape.columns).set(parameters.reference!)
    const sum = new Float64Array(exports.statisticsLength.value)
    for (let start = from; start < to; start += kernel.rows) {
      const end = Math.min(to, start + kernel.rows)
      copyRows(kernel, block, start, end)
      view(kernel, exports.posterior.value, (end - start) * components).set(
        responsibilities.subarray(start * components, end * components),
      )
      if (!Number.isFinite(exports.observe(end - start))) return false
      takeStatistics(kernel, sum)
    }
    for (let i = 0; i < sum.length; i++) into[i]! += sum[i]!
    return true
  }

  const logDensity = (parameters: Parameters, block: Block, out: Float64Array): boolean => {
    const kernel = loadKernel(shape, block.rows, parameters, undefined)
    if (kernel === undefined) return false
    const { exports } = kernel
    for (let from = 0; from < block.rows; from += kernel.rows) {
      const to = Math.min(block.rows, from + kernel.rows)
      copyRows(kernel, block, from, to)
      if (Number.isNaN(exports.densitiesOf(to - from))) return false
      out.set(view(kernel, exports.posterior.value, (to - from) * components), from * components)
    }
    return true
  }

  return {
    observe(into, block, responsibilities, parameters) {
      if (observe(into, block, responsibilities, parameters)) return
      const { complete, incomplete } = completeness(block, 0, block.rows)
      for (const rows of [complete, incomplete]) {
        if (rows.length === 0) continue
        const part = gatherRows(block, rows)
        const { values } = gatherRows({ rows: block.rows, columns: components, values: responsibilities }, rows)
        const worthTrying = rows === complete && incomplete.length > 0
        if (!(worthTrying && observe(into, part, values, parameters))) reference.observe(into, part, values, parameters)
      }
    },

    logDensity(parameters, block, out) {
      if (logDensity(parameters, block, out)) return
      const { complete, incomplete } = completeness(block, 0, block.rows)
      for (const rows of [complete, incomplete]) {
        if (rows.length === 0) continue
        const part = gatherRows(block, rows)
        const values = new Float64Array(rows.length * components)
        const worthTrying = rows === complete && incomplete.length > 0
        if (!(worthTrying && logDensity(parameters, part, values))) reference.logDensity(parameters, part, values)
        for (let n = 0; n < rows.length; n++)
          out.set(values.subarray(n * components, (n + 1) * components), rows[n]! * components)
      }
    },
  }
}
