import type { GaussianLayout } from '../gaussian/layout.ts'

/** The gaussian mixtures that the compiled kernel knows. */
export interface KernelShape {
  readonly covariance: 'full' | 'tied' | 'diag' | 'spherical'
  /** K */
  readonly components: number
  /** d */
  readonly columns: number
}

/** The shape of a gaussian family: factor covariances are full ones once they are factored. */
export function kernelShape(layout: GaussianLayout): KernelShape {
  const { covariance, components, columns } = layout
  return { covariance: covariance === 'factor' ? 'full' : covariance, components, columns }
}

/** Numbers of the covariance types in assembly/memory.ts. */
const COVARIANCES = ['full', 'tied', 'diag', 'spherical'] as const

export const covarianceNumber = (shape: KernelShape): number => COVARIANCES.indexOf(shape.covariance)
