import { createSpecification, type ModelSpecification } from '@eddy/mixture'
import type { Configuration, Feature } from '../configuration.ts'

/** The model's form, as it is stored in every snapshot. */
export function specificationOf({ model }: Configuration, features: readonly Feature[]): ModelSpecification {
  const { stepExponent, stepOffset, halfLife, components, covariance, warmUp, varianceFloor } = model
  return createSpecification({
    features: features.map(({ name, type, transform, values }) => ({
      name,
      type,
      ...(type === 'number' ? { transform } : {}),
      ...(values === undefined ? {} : { categories: values.length }),
    })),
    components,
    covariance,
    prior: { varianceFloor },
    stepSize: { exponent: stepExponent, offset: stepOffset, ...(halfLife === undefined ? {} : { halfLife }) },
    warmUp,
  })
}
