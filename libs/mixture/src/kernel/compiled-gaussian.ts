import type { Block } from '../block.ts'
import { empty, type Family, type Parameters, type Statistics } from '../family.ts'
import type { GaussianLayout } from '../gaussian/layout.ts'
import { kernelExports } from './engine.ts'
import { copyRows, loadKernel, takeStatistics } from './loaded-kernel.ts'
import { addMarginalStatistics, marginalGrouper } from './marginal.ts'
import { completeness, gatherRows } from './rows.ts'
import { kernelShape } from './shape.ts'

/** The methods of a gaussian family that the compiled kernel has, for products of families and given responsibilities. */
export type CompiledGaussian = Pick<Family, 'observe' | 'logDensity'>

/**
 * Statistics and densities by the compiled kernel, where it runs; otherwise by `reference`. Events with missing values are complete
 * events of a marginal family; the reference takes those whose pattern is rare, and values too large for f64.
 * @param marginal the family of the same form over fewer columns
 */
export function compiledGaussian(
  layout: GaussianLayout,
  reference: CompiledGaussian,
  marginal: (columns: number) => Family,
): CompiledGaussian {
  const { components } = layout
  const shape = kernelShape(layout)
  const grouped = marginalGrouper(layout)

  /** @returns false, with `into` untouched, if the kernel does not take some row */
  const observe = (into: Statistics, block: Block, responsibilities: Float64Array, parameters: Parameters): boolean => {
    const kernel = loadKernel(shape, block.rows, parameters, undefined)
    if (kernel === undefined) return false
    const { exports } = kernel
    const several = block.rows > kernel.rows
    const sum = several ? new Float64Array(into.length) : into
    for (let from = 0; from < block.rows; from += kernel.rows) {
      const to = Math.min(block.rows, from + kernel.rows)
      copyRows(kernel, block, from, to)
      kernel.memory.posterior.set(responsibilities.subarray(from * components, to * components))
      if (!Number.isFinite(exports.observe(to - from))) {
        exports.clearStatistics()
        return false
      }
      takeStatistics(kernel, sum)
    }
    if (several) for (let i = 0; i < sum.length; i++) into[i]! += sum[i]!
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
      if (observe(into, block, responsibilities, parameters)) return
      if (kernelExports() === undefined) {
        reference.observe(into, block, responsibilities, parameters)
        return
      }
      const all = { rows: block.rows, columns: components, values: responsibilities }
      const byReference = (rows: Int32Array): void => {
        if (rows.length > 0) reference.observe(into, gatherRows(block, rows), gatherRows(all, rows).values, parameters)
      }
      const { complete, incomplete } = completeness(block, 0, block.rows)
      const part = gatherRows(block, complete)
      const tried = incomplete.length > 0 && observe(into, part, gatherRows(all, complete).values, parameters)
      if (!tried) byReference(complete)
      const { groups, rest } = grouped(parameters, block, incomplete)
      for (const group of groups) {
        const family = marginal(group.block.columns)
        const statistics = empty(family)
        family.observe(statistics, group.block, gatherRows(all, group.rows).values, group.parameters)
        addMarginalStatistics(layout, parameters, group.pattern, statistics, into)
      }
      byReference(rest)
    },

    logDensity(parameters, block, out) {
      if (logDensity(parameters, block, out)) return
      if (kernelExports() === undefined) {
        reference.logDensity(parameters, block, out)
        return
      }
      const scatter = (rows: Int32Array, by: (values: Float64Array) => void): void => {
        const values = new Float64Array(rows.length * components)
        if (rows.length > 0) by(values)
        for (let n = 0; n < rows.length; n++)
          out.set(values.subarray(n * components, (n + 1) * components), rows[n]! * components)
      }
      const { complete, incomplete } = completeness(block, 0, block.rows)
      scatter(complete, values => {
        const part = gatherRows(block, complete)
        if (!(incomplete.length > 0 && logDensity(parameters, part, values)))
          reference.logDensity(parameters, part, values)
      })
      const { groups, rest } = grouped(parameters, block, incomplete)
      for (const group of groups)
        scatter(group.rows, values => marginal(group.block.columns).logDensity(group.parameters, group.block, values))
      scatter(rest, values => reference.logDensity(parameters, gatherRows(block, rest), values))
    },
  }
}
