import { type Mixture, mixture } from '../em/mixture.ts'
import { bernoulli } from '../families/discrete/bernoulli.ts'
import { categorical } from '../families/discrete/categorical.ts'
import { poisson } from '../families/discrete/poisson.ts'
import type { Family, Parameters } from '../families/family.ts'
import { gaussian } from '../families/gaussian/gaussian.ts'
import { factorParameters, product } from '../families/product.ts'
import { studentT } from '../families/student-t/student-t.ts'
import { type Kernel, sharedKernel } from '../kernel/kernel.ts'
import type { FeatureType, ModelSpecification } from './specification.ts'

/** The types in the order in which their families stand in a product. */
const TYPES: readonly FeatureType[] = ['number', 'count', 'category', 'boolean']

/**
 * The mixture of a specification. It works in model space: see `applyTransform`.
 * Features of one type form a family of their own. With one type that family is the mixture's `inner` and its arrays keep
 * their names; with several, `inner` is their product and the arrays are called `number.means`, `count.rates`,
 * `category.probabilities`, `boolean.probabilities` and so on.
 * @param kernel what its work is done by
 */
export function createMixture(specification: ModelSpecification, kernel: Kernel = sharedKernel()): Mixture {
  return kernel.accelerate(mixture(componentFamily(specification)))
}

/** The component densities of a specification, worked on by no kernel: for what is asked of parameters alone. */
export function componentFamily(specification: ModelSpecification): Family {
  const types = typesOf(specification)
  if (types.length === 1) return familyOf(specification, types[0]!)
  return product(
    types.map(type => ({
      name: type,
      columns: columnsOfType(specification, type),
      family: familyOf(specification, type),
    })),
  )
}

/** The types that occur among the features, in the order of their factors. */
export function typesOf(specification: ModelSpecification): FeatureType[] {
  return TYPES.filter(type => specification.features.some(feature => feature.type === type))
}

/** Columns of the features of one type. */
export function columnsOfType(specification: ModelSpecification, type: FeatureType): number[] {
  return specification.features.flatMap((feature, j) => (feature.type === type ? [j] : []))
}

/** The arrays of the family of one type, without prefix. */
export function parametersOfType(
  specification: ModelSpecification,
  parameters: Parameters,
  type: FeatureType,
): Parameters {
  return typesOf(specification).length === 1 ? parameters : factorParameters(parameters, type)
}

function familyOf(specification: ModelSpecification, type: FeatureType): Family {
  const { components, covariance, factors, degreesOfFreedom } = specification
  const columns = columnsOfType(specification, type).length
  switch (type) {
    case 'number': {
      const options = { components, columns, covariance, ...(factors === undefined ? {} : { factors }) }
      if (specification.family === 'gaussian') return gaussian(options)
      return studentT({ ...options, ...(degreesOfFreedom === undefined ? {} : { degreesOfFreedom }) })
    }
    case 'count':
      return poisson({ components, columns })
    case 'boolean':
      return bernoulli({ components, columns })
    case 'category':
      return categorical({
        components,
        categories: specification.features.flatMap(feature =>
          feature.type === 'category' ? [feature.categories ?? 2] : [],
        ),
      })
  }
}

/** Number of free parameters: what BIC and AIC count. The transform is not counted. */
export function freeParameters(specification: ModelSpecification): number {
  const { components: K, covariance, factors = 1, features } = specification
  const d = columnsOfType(specification, 'number').length
  const covarianceParameters = {
    full: (K * d * (d + 1)) / 2,
    tied: (d * (d + 1)) / 2,
    diag: K * d,
    spherical: d > 0 ? K : 0,
    // Λ is free up to a rotation of the factors.
    factor: K * (d * factors + d - (factors * (factors - 1)) / 2),
  }[covariance]
  const degrees = specification.family === 'student-t' && specification.degreesOfFreedom === undefined && d > 0 ? K : 0
  let others = 0
  for (const feature of features) {
    if (feature.type === 'category') others += K * ((feature.categories ?? 2) - 1)
    else if (feature.type !== 'number') others += K
  }
  return K - 1 + K * d + covarianceParameters + degrees + others
}
