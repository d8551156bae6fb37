import type { Parameters } from './family.ts'
import type { Model } from './model.ts'
import { createSpecification, type ModelSpecification } from './specification.ts'
import { invertTransform } from './transform.ts'
import { numberColumns, toUserUnits } from './user-units.ts'

/** A model as JSON. Names with a trailing underscore mean what they mean in scikit-learn's GaussianMixture. */
export interface ModelJson {
  readonly format: 'eddy-model'
  readonly version: 1
  readonly specification: ModelSpecification
  readonly n_components: number
  readonly weights_: readonly number[]
  /** names of the numbers, the columns of `means_` and `covariances_` */
  readonly feature_names_in_?: readonly string[]
  readonly covariance_type?: string
  /** user's units, (K, d); a bent feature (log1p, yeo-johnson) stays bent: see `centres_` */
  readonly means_?: unknown
  readonly covariances_?: unknown
  readonly precisions_cholesky_?: unknown
  /** user's units with every transform undone, (K, d): the components' medians */
  readonly centres_?: unknown
  readonly lower_bound_: number | null
  readonly converged_: boolean
  readonly n_iter_: number
  readonly prequential_log_likelihood_?: number
  /** every array of the model in model units, exact: what `modelFromJson` reads */
  readonly parameters: Readonly<Record<string, readonly number[]>>
}

/** The model as plain JSON. What is in user's units is for readers; `parameters` alone is read back. */
export function modelToJson(model: Model): ModelJson {
  const { specification, parameters } = model
  const numbers = numberColumns(specification)
  return {
    format: 'eddy-model',
    version: 1,
    specification,
    n_components: specification.components,
    weights_: [...parameters.weights!],
    ...(numbers.length > 0 ? numbersInUserUnits(specification, parameters) : {}),
    lower_bound_: Number.isFinite(model.lowerBound) ? model.lowerBound : null,
    converged_: model.converged,
    n_iter_: model.iterations,
    ...(model.prequentialLogLikelihood === undefined
      ? {}
      : { prequential_log_likelihood_: model.prequentialLogLikelihood }),
    parameters: Object.fromEntries(Object.entries(parameters).map(([name, array]) => [name, [...array]])),
  }
}

function numbersInUserUnits(specification: ModelSpecification, parameters: Parameters) {
  const user = toUserUnits(specification, parameters, parameters)
  const { components } = specification
  const columns = specification.features.length
  const centres = invertTransform(specification, parameters, { rows: components, columns, values: parameters.means! })
  return {
    feature_names_in_: user.features,
    covariance_type: user.covarianceType,
    means_: user.means,
    covariances_: user.covariances,
    precisions_cholesky_: user.precisionsCholesky,
    centres_: user.means.map((_, k) => [...centres.values.subarray(k * columns, (k + 1) * columns)]),
  }
}

/**
 * The model of a JSON value made by `modelToJson`.
 * @throws Error naming the first field that is not as expected
 */
export function modelFromJson(json: unknown): Model {
  const value = json as Partial<ModelJson> | null
  if (typeof value !== 'object' || value === null || value.format !== 'eddy-model')
    throw new Error(
      'model: expected JSON with "format": "eddy-model", got something else; make one by `eddy fit --out`',
    )
  if (value.version !== 1) throw new Error(`model.version: expected 1, got ${String(value.version)}`)
  if (value.specification === undefined) throw new Error('model.specification: expected an object, got none')
  const specification = createSpecification(value.specification)
  const parameters = Object.fromEntries(
    Object.entries(value.parameters ?? {}).map(([name, array]) => [name, numbersOf(`model.parameters.${name}`, array)]),
  )
  for (const name of ['weights', 'transformCentre', 'transformScale', 'transformPower'])
    if (parameters[name] === undefined) throw new Error(`model.parameters.${name}: expected an array, got none`)
  if (parameters.weights!.length !== specification.components)
    throw new Error(
      `model.parameters.weights: expected ${specification.components} numbers, got ${parameters.weights!.length}`,
    )
  return {
    specification,
    parameters,
    lowerBound: value.lower_bound_ ?? Number.NaN,
    converged: value.converged_ ?? false,
    iterations: value.n_iter_ ?? 0,
    ...(value.prequential_log_likelihood_ === undefined
      ? {}
      : { prequentialLogLikelihood: value.prequential_log_likelihood_ }),
  }
}

function numbersOf(name: string, value: unknown): Float64Array {
  if (!Array.isArray(value) || !value.every(Number.isFinite))
    throw new Error(`${name}: expected an array of finite numbers, got ${JSON.stringify(value)?.slice(0, 60)}`)
  return Float64Array.from(value as number[])
}
