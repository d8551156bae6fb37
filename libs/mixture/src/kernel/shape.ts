/** The gaussian mixtures that the compiled kernel knows. */
export interface KernelShape {
  readonly covariance: 'full' | 'tied' | 'diag' | 'spherical'
  /** K */
  readonly components: number
  /** d */
  readonly columns: number
}

/** Numbers of the covariance types in assembly/memory.ts. */
const COVARIANCES = ['full', 'tied', 'diag', 'spherical'] as const

export const covarianceNumber = (shape: KernelShape): number => COVARIANCES.indexOf(shape.covariance)
