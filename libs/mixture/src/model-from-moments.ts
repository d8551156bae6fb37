import type { Covariance } from './families/gaussian/layout.ts'
import type { Model } from './model/model.ts'
import { createSpecification, type ModelSpecification } from './model/specification.ts'
import { estimateTransform } from './model/transform.ts'
import { type StartingJson, startingParameters } from './start/starting-parameters.ts'
import { treatmentOf } from './treatment/treatment.ts'

/** A gaussian mixture as scikit-learn's GaussianMixture has it, in the user's units. */
export interface MomentsJson extends StartingJson {
  readonly covariance_type?: string
  readonly feature_names_in_?: readonly string[]
  readonly specification?: Partial<ModelSpecification>
}

/** Whether a JSON value has moments and no exact parameters. */
export const hasMomentsOnly = (json: unknown): json is MomentsJson =>
  typeof json === 'object' &&
  json !== null &&
  Array.isArray((json as MomentsJson).means_) &&
  (json as { readonly parameters?: unknown }).parameters === undefined

/**
 * The model of weights, means and covariances: a scikit-learn GaussianMixture, or a file of ours without its `parameters`.
 * @returns the model, and whether its features have names: without, they are called x1 … xd
 * @throws Error naming the field that is missing or cannot be
 */
export function modelFromMoments(json: MomentsJson): { readonly model: Model; readonly named: boolean } {
  const { means_: means, covariances_: covariances, specification: form } = json
  const bent = form?.features?.find(feature => feature.type !== 'number' || treatmentOf(feature).transform !== 'none')
  if (bent !== undefined)
    throw new Error(
      `model.parameters: expected an array of each kind, got none; the feature ${bent.name} (${bent.type}, bent or no number) cannot be read from means_ and covariances_`,
    )
  const d = Array.isArray(means[0]) ? means[0].length : 0
  if (d === 0) throw new Error('means_: expected an array of rows of numbers, got none')
  if (covariances === undefined) throw new Error('covariances_: expected an array, got none')
  const names = json.feature_names_in_ ?? form?.features?.map(({ name }) => name)
  if (names !== undefined && names.length !== d)
    throw new Error(`feature_names_in_: expected ${d} names, as means_ has columns, got ${names.length}`)
  const specification = createSpecification({
    components: means.length,
    covariance: covarianceOf(json, means.length, d),
    standardise: false,
    features: names ?? Array.from({ length: d }, (_, j) => `x${j + 1}`),
  })
  const block = { rows: means.length, columns: d, values: Float64Array.from(means.flat()) }
  return {
    model: {
      specification,
      parameters: startingParameters(specification, estimateTransform(specification, block), block, json),
      lowerBound: Number.NaN,
      converged: true,
      iterations: 0,
    },
    named: names !== undefined,
  }
}

/** As the file says it, else by the shape: (K, d, d), (d, d), (K, d) or (K). */
function covarianceOf({ covariance_type: said, covariances_: value }: MomentsJson, K: number, d: number): Covariance {
  const forms = ['full', 'tied', 'diag', 'spherical'] as const
  const named = forms.find(form => form === said)
  if (named !== undefined) return named
  if (said !== undefined) throw new Error(`covariance_type: expected one of ${forms.join(', ')}, got ${said}`)
  const shape: number[] = []
  for (let at = value; Array.isArray(at); at = at[0]) shape.push(at.length)
  if (shape.length === 3) return 'full'
  if (shape.length === 1) return 'spherical'
  if (K === d)
    throw new Error(`covariance_type: expected tied or diag, as covariances_ has ${K} × ${d} numbers, got none; add it`)
  return shape[0] === d ? 'tied' : 'diag'
}
