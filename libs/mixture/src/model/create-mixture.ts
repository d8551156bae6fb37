import { type Mixture, mixture } from '../em/mixture.ts'
import { bernoulli } from '../families/discrete/bernoulli.ts'
import type { Family, Parameters } from '../families/family.ts'
import { gaussian } from '../families/gaussian/gaussian.ts'
import { gaussianWithCells } from '../families/gaussian/gaussian-with-cells.ts'
import { factorParameters, type ProductFactor, product } from '../families/product.ts'
import { studentT } from '../families/student-t/student-t.ts'
import { type Kernel, sharedKernel } from '../kernel/kernel.ts'
import { describeType, type FeatureType, featureTypes } from './feature-types.ts'
import { exposureColumn, modelColumns } from './model-columns.ts'
import type { ModelSpecification } from './specification.ts'

/**
 * The mixture of a specification. It works in model space: see `applyTransform`.
 * Features of one type form a family of their own. With one type that family is the mixture's `inner` and its arrays keep
 * their names; with several, `inner` is their product and the arrays are called `number.means`, `count.rates`,
 * `category.probabilities`, `boolean.probabilities` and so on. Numbers with an atom have another family beside theirs: `spike.probabilities`
 * are those of being at the atom.
 * @param kernel what its work is done by
 * @throws Error if a feature's treatment is to be decided and has not been
 */
export function createMixture(specification: ModelSpecification, kernel: Kernel = sharedKernel()): Mixture {
  return kernel.accelerate(mixture(componentFamily(specification)))
}

/** The component densities of a specification, worked on by no kernel: for what is asked of parameters alone. */
export function componentFamily(specification: ModelSpecification): Family {
  const factors = factorsOf(specification)
  return isProduct(specification) ? product(factors) : factors[0]!.family
}

function factorsOf(specification: ModelSpecification): ProductFactor[] {
  const { spikes, cells } = modelColumns(specification)
  const d = specification.features.length
  const factors: ProductFactor[] = typesOf(specification).map(type => ({
    name: type,
    given: exposuresOf(specification, type),
    columns: [
      ...columnsOfType(specification, type),
      ...(type === 'number' ? cells.map((_, i) => d + spikes.length + i) : []),
    ],
    family: familyOf(specification, type),
  }))
  if (spikes.length > 0) {
    const { components } = specification
    factors.push({
      name: 'spike',
      columns: spikes.map((_, i) => d + i),
      family: bernoulli({ components, columns: spikes.length }),
    })
  }
  return factors
}

/** The types that occur among the features and are learned, in the order of their factors. */
export function typesOf(specification: ModelSpecification): FeatureType[] {
  return featureTypes.filter(
    type => !describeType(type).given && specification.features.some(feature => feature.type === type),
  )
}

/** Columns of the features of one type. */
export function columnsOfType(specification: ModelSpecification, type: FeatureType): number[] {
  return specification.features.flatMap((feature, j) => (feature.type === type ? [j] : []))
}

/** Columns of the exposures of the features of one type that have one. */
function exposuresOf(specification: ModelSpecification, type: FeatureType): number[] {
  return columnsOfType(specification, type).flatMap(j => exposureColumn(specification, j) ?? [])
}

/** The arrays of the family of one type, without prefix. */
export function parametersOfType(
  specification: ModelSpecification,
  parameters: Parameters,
  type: FeatureType,
): Parameters {
  return isProduct(specification) ? factorParameters(parameters, type) : parameters
}

/** Probabilities of the atoms, shape (K, spikes of `modelColumns`); undefined where no feature has one. */
export function spikeProbabilities(parameters: Parameters): Float64Array | undefined {
  return parameters['spike.probabilities']
}

const isProduct = (specification: ModelSpecification): boolean =>
  typesOf(specification).length > 1 ||
  modelColumns(specification).spikes.length > 0 ||
  specification.features.some(({ type }) => describeType(type).given)

function familyOf(specification: ModelSpecification, type: FeatureType): Family {
  const { components, features } = specification
  const { family } = describeType(type)
  const columns = columnsOfType(specification, type)
  if (family === undefined) return numbersOf(specification, columns)
  return family({
    components,
    columns: columns.length,
    categories: columns.map(j => features[j]!.categories ?? 2),
    exposed: columns.flatMap((j, i) => (features[j]!.exposure === undefined ? [] : [i])),
  })
}

/** The family of the numbers, at these places among the features. */
function numbersOf(specification: ModelSpecification, numbers: readonly number[]): Family {
  const { components, covariance, factors, degreesOfFreedom } = specification
  const columns = numbers.length
  const options = { components, columns, covariance, ...(factors === undefined ? {} : { factors }) }
  const cells = modelColumns(specification).cells.map(j => numbers.indexOf(j))
  if (specification.family !== 'gaussian')
    return studentT({
      ...options,
      cells,
      degreesOnGrid: specification.family === 'auto',
      ...(degreesOfFreedom === undefined ? {} : { degreesOfFreedom }),
    })
  return cells.length > 0 ? gaussianWithCells({ ...options, cells }) : gaussian(options)
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
  const degrees = specification.family !== 'gaussian' && specification.degreesOfFreedom === undefined && d > 0 ? K : 0
  let others = 0
  for (const { type, categories = 2 } of features) others += K * (describeType(type).freeParameters?.(categories) ?? 0)
  return K - 1 + K * d + covarianceParameters + degrees + others + K * modelColumns(specification).spikes.length
}
