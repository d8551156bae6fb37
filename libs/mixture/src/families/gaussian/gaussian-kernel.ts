import type { Block } from '../block.ts'
import type { ComponentRange, Family, Parameters, Statistics } from '../family.ts'
import type { Prior } from '../prior.ts'
import type { GaussianLayout } from './layout.ts'

/** Means and covariances of an M-step of which some components may be left to do. */
export interface Estimates {
  /** shape (K, d) */
  readonly means: Float64Array
  /** as a gaussian family documents them */
  readonly covariances: Float64Array
  readonly precisionsCholesky: Float64Array
  readonly logDeterminants: Float64Array
  /** the components that still hold what they had before */
  readonly left: readonly number[]
}

/**
 * A faster implementation of what gaussian components do: what it does not take is done by the code of this folder, which is its
 * specification.
 */
export interface GaussianKernel {
  /** As `Family.observe`. @returns false, with `into` untouched, if it does not take some row */
  observe(
    layout: GaussianLayout,
    into: Statistics,
    block: Block,
    responsibilities: Float64Array,
    parameters: Parameters,
  ): boolean

  /** As `Family.logDensity`. @returns false, with `out` void, if it does not take some row */
  logDensity(layout: GaussianLayout, parameters: Parameters, block: Block, out: Float64Array): boolean

  /** As `Family.maximise`, of the components it can estimate. @returns undefined if it does not know the form */
  maximise(
    layout: GaussianLayout,
    statistics: Statistics,
    prior: Prior,
    previous: Parameters,
    only: ComponentRange,
    into?: Parameters,
  ): Estimates | undefined
}

/** A family whose work a gaussian kernel can take over. */
export interface Accelerable {
  /** The same family with a kernel: same layout, same parameters. */
  withKernel(kernel: GaussianKernel): Family
}
