import { createSpecification, type ModelSpecification } from '@eddy/mixture'
import { ConfigurationError } from '@eddy/runtime'
import type { Configuration, Feature } from './configuration.ts'

/**
 * The model's form, as it is stored in every snapshot.
 * @throws {ConfigurationError} when the parts of the configuration do not fit together
 */
export function specificationOf({ model }: Configuration, features: readonly Feature[]): ModelSpecification {
  const { stepExponent, stepOffset, halfLife, varianceFloor, prior, factors, degreesOfFreedom, warmUp } = model
  const { components, covariance, family } = model
  try {
    return createSpecification({
      features: features.map(({ name, type, transform, resolution, atom, exposure, min, max, values, unit }) => ({
        name,
        type,
        ...(type === 'number' ? { transform } : {}),
        ...(resolution === undefined ? {} : { resolution }),
        ...(atom === undefined ? {} : { atom }),
        ...(exposure === undefined ? {} : { exposure }),
        ...(type === 'number' && transform === 'auto' && min !== undefined && max !== undefined && min < max
          ? { bounds: [min, max] as const }
          : {}),
        ...(values === undefined ? {} : { values, categories: values.length }),
        ...(unit === undefined ? {} : { unit }),
      })),
      components,
      covariance,
      family,
      ...(factors === undefined ? {} : { factors }),
      ...(degreesOfFreedom === undefined ? {} : { degreesOfFreedom }),
      prior: { ...prior, varianceFloor },
      stepSize: { exponent: stepExponent, offset: stepOffset, ...(halfLife === undefined ? {} : { halfLife }) },
      warmUp,
    })
  } catch (error) {
    throw new ConfigurationError([`model: ${(error as Error).message}`])
  }
}
