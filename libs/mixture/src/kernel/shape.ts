import type { GaussianLayout } from '../families/gaussian/layout.ts'

/** The gaussian mixtures that the compiled kernel knows. */
export interface KernelShape {
  readonly covariance: 'full' | 'tied' | 'diag' | 'spherical'
  /** K */
  readonly components: number
  /** d */
  readonly columns: number
  /** columns of levels besides, see `Levels` */
  readonly levelColumns: number
  /** most levels of a chunk, and the one of missing values; 0 without such columns */
  readonly levels: number
}

/** The shape of a gaussian family: factor covariances are full ones once they are factored. */
export function kernelShape(layout: GaussianLayout): KernelShape {
  const { covariance, components, columns } = layout
  const kernelCovariance = covariance === 'factor' ? 'full' : covariance
  return { covariance: kernelCovariance, components, columns, levelColumns: 0, levels: 0 }
}

/** Numbers of the covariance types in assembly/memory.ts. */
const COVARIANCES = ['full', 'tied', 'diag', 'spherical'] as const

export const covarianceNumber = (shape: KernelShape): number => COVARIANCES.indexOf(shape.covariance)
