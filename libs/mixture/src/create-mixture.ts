import { gaussian } from './gaussian/gaussian.ts'
import { type Mixture, mixture } from './mixture.ts'
import type { ModelSpecification } from './specification.ts'

/** The mixture of a specification. It works in model space: see `applyTransform`. */
export function createMixture(specification: ModelSpecification): Mixture {
  const { components, covariance, factors, features } = specification
  return mixture(
    gaussian({ components, columns: features.length, covariance, ...(factors === undefined ? {} : { factors }) }),
  )
}
