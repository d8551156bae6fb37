import type { Parameters } from '../families/family.ts'
import { atomsOf } from './atoms.ts'
import { columnsOfType, componentFamily, parametersOfType, typesOf } from './create-mixture.ts'
import { describeType, type FeatureType } from './feature-types.ts'
import type { Model } from './model.ts'
import { createSpecification, type ModelSpecification } from './specification.ts'
import { invertTransform } from './transform.ts'
import { rowsOfMatrix, toUserUnits } from './user-units.ts'

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
  /** user's units with every transform undone, (K, d): the components' medians; the atom of a feature that more than half of them have */
  readonly centres_?: unknown
  /** features with an atom: its value and each component's probability of it, (K) */
  readonly atoms_?: Readonly<Record<string, { readonly value: number; readonly probabilities: readonly number[] }>>
  /** student-t: ν (K); `covariances_` are then scale matrices */
  readonly degrees_of_freedom_?: readonly number[]
  readonly count_names_?: readonly string[]
  /** mean counts, per unit of exposure where they have one, (K, number of counts) */
  readonly rates_?: unknown
  readonly negative_binomial_names_?: readonly string[]
  /** means, and sizes r: the variance is mean + mean²/r; (K, number of such counts) each */
  readonly negative_binomial_means_?: unknown
  readonly negative_binomial_sizes_?: unknown
  readonly zero_inflated_names_?: readonly string[]
  /** means (1 − zeros) · rates; the rates of events that can count, and the shares of those that cannot; (K, number of such counts) each */
  readonly zero_inflated_means_?: unknown
  readonly zero_inflated_rates_?: unknown
  readonly zero_inflated_zeros_?: unknown
  readonly duration_names_?: readonly string[]
  /** mean durations, (K, number of durations) */
  readonly durations_?: unknown
  readonly boolean_names_?: readonly string[]
  /** probability of a 1, (K, number of booleans) */
  readonly probabilities_?: unknown
  /** for each category feature: (K, number of its categories) */
  readonly category_probabilities_?: Readonly<Record<string, readonly (readonly number[])[]>>
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
  return {
    format: 'eddy-model',
    version: 1,
    specification,
    n_components: specification.components,
    weights_: [...parameters.weights!],
    ...inUserUnits(specification, parameters),
    lower_bound_: Number.isFinite(model.lowerBound) ? model.lowerBound : null,
    converged_: model.converged,
    n_iter_: model.iterations,
    ...(model.prequentialLogLikelihood === undefined
      ? {}
      : { prequential_log_likelihood_: model.prequentialLogLikelihood }),
    parameters: Object.fromEntries(Object.entries(parameters).map(([name, array]) => [name, [...array]])),
  }
}

function inUserUnits(specification: ModelSpecification, parameters: Parameters): Partial<ModelJson> {
  const { features } = specification
  const numbers = columnsOfType(specification, 'number')
  const categories = columnsOfType(specification, 'category')
  const atoms = atomsOf(specification, parameters)
  const of = (type: FeatureType) => parametersOfType(specification, parameters, type)
  return {
    ...(numbers.length > 0 ? numbersInUserUnits(specification, parameters, of('number'), numbers) : {}),
    ...(atoms.size > 0 ? { atoms_: Object.fromEntries([...atoms].map(([j, atom]) => [features[j]!.name, atom])) } : {}),
    ...meansByType(specification, parameters),
    ...(categories.length > 0
      ? { category_probabilities_: categoryTables(specification, categories, of('category').probabilities!) }
      : {}),
  }
}

/** Names and means of the features of every type but numbers and categories. */
function meansByType(specification: ModelSpecification, parameters: Parameters): Partial<ModelJson> {
  const { components, features } = specification
  const types = typesOf(specification).filter(type => type !== 'number' && describeType(type).json !== undefined)
  if (types.length === 0) return {}
  const { columns, means } = componentFamily(specification).moments(parameters)
  const rows = Array.from({ length: components }, (_, k) =>
    means.subarray(k * columns.length, (k + 1) * columns.length),
  )
  const tables = types.flatMap(type => {
    const { names, typical, others = {} } = describeType(type).json!
    const own = columnsOfType(specification, type)
    const places = own.map(j => columns.indexOf(j))
    const arrays = parametersOfType(specification, parameters, type)
    return [
      [names, own.map(j => features[j]!.name)],
      [typical, rows.map(row => places.map(i => row[i]!))],
      ...Object.entries(others).map(([name, array]) => [name, rowsOfMatrix(arrays[array]!, components, own.length)]),
    ]
  })
  return Object.fromEntries(tables)
}

function numbersInUserUnits(
  specification: ModelSpecification,
  parameters: Parameters,
  family: Parameters,
  columns: number[],
) {
  const user = toUserUnits(specification, parameters, family)
  const { components, features } = specification
  const d = columns.length
  const values = new Float64Array(components * features.length)
  for (let k = 0; k < components; k++)
    for (let j = 0; j < d; j++) values[k * features.length + columns[j]!] = family.means![k * d + j]!
  const block = { rows: components, columns: features.length, values }
  const centres = invertTransform(specification, parameters, block).values
  const atoms = atomsOf(specification, parameters)
  return {
    feature_names_in_: user.features,
    covariance_type: user.covarianceType,
    means_: user.means,
    covariances_: user.covariances,
    precisions_cholesky_: user.precisionsCholesky,
    centres_: user.means.map((_, k) =>
      columns.map(j => {
        const atom = atoms.get(j)
        return atom !== undefined && atom.probabilities[k]! > 0.5 ? atom.value : centres[k * features.length + j]!
      }),
    ),
    ...(family.degreesOfFreedom === undefined ? {} : { degrees_of_freedom_: [...family.degreesOfFreedom] }),
  }
}

function categoryTables(specification: ModelSpecification, columns: number[], probabilities: Float64Array) {
  const { components } = specification
  const stride = probabilities.length / components
  let start = 0
  return Object.fromEntries(
    columns.map(j => {
      const { name, categories = 2 } = specification.features[j]!
      const from = start
      start += categories
      const rows = Array.from({ length: components }, (_, k) => [
        ...probabilities.subarray(k * stride + from, k * stride + from + categories),
      ])
      return [name, rows] as const
    }),
  )
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
  const model = {
    specification,
    parameters,
    lowerBound: value.lower_bound_ ?? Number.NaN,
    converged: value.converged_ ?? false,
    iterations: value.n_iter_ ?? 0,
    ...(value.prequential_log_likelihood_ === undefined
      ? {}
      : { prequentialLogLikelihood: value.prequential_log_likelihood_ }),
  }
  checkReadable(value, modelToJson(model))
  return model
}

/** What rounding to fewer digits may change, against the largest number of an array. */
const agreement = 1e-6

/**
 * What is in user's units must be what the parameters say: edited, it would be shown and not obeyed.
 * @throws Error naming the number that differs
 */
function checkReadable(got: Partial<ModelJson>, expected: ModelJson): void {
  const arrays = Object.entries(expected).filter(([name, value]) => name.endsWith('_') && typeof value === 'object')
  for (const [name, value] of arrays) {
    const own = flattened((got as Record<string, unknown>)[name])
    if (own.length === 0) continue
    const said = flattened(value)
    const size = said.reduce((most, [, v]) => (Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most), 0)
    const wrong = said.findIndex(([place, v], i) => {
      const [at, w] = own[i] ?? []
      return at !== place || (Number.isFinite(v) && !(Math.abs(v - w!) <= agreement * size))
    })
    if (wrong < 0 && own.length === said.length) continue
    const [place = '', v] = said[wrong] ?? []
    throw new Error(
      `${name}${place}: expected ${v}, as model.parameters has it, got ${own[wrong]?.[1]}. To score by edited weights_, means_ and covariances_, delete "parameters" from the file`,
    )
  }
}

/** The numbers of nested arrays and objects with their places; null is no number. */
function flattened(value: unknown, place = ''): (readonly [place: string, value: number])[] {
  if (typeof value === 'number') return [[place, value]]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => flattened(inner, `${place}[${key}]`))
}

function numbersOf(name: string, value: unknown): Float64Array {
  if (!Array.isArray(value) || !value.every(Number.isFinite))
    throw new Error(`${name}: expected an array of finite numbers, got ${JSON.stringify(value)?.slice(0, 60)}`)
  return Float64Array.from(value as number[])
}
