import { readFile, writeFile } from 'node:fs/promises'
import {
  type FeatureSpecification,
  hasMomentsOnly,
  type Model,
  type ModelJson,
  type ModelSpecification,
  modelFromJson,
  modelFromMoments,
  modelToJson,
} from '@eddy/mixture'

/** A model file that is missing, or no model. Exit code 1. */
export class ModelError extends Error {
  override readonly name = 'ModelError'
}

/** A feature of a model file: its values are the names of a category's codes. */
export type StoredFeature = Pick<FeatureSpecification, 'name' | 'type'> & {
  readonly values?: readonly string[] | undefined
}

/** A model with the names of its categories: what a model file holds. */
export interface StoredModel {
  readonly model: Model
  /** in the order of the model's features */
  readonly columns: readonly StoredFeature[]
  /** true where the file gives its features no names: they are the numbers of whatever is scored, in their order */
  readonly unnamed?: true
  /** ids of the segments of a snapshot; those of a fitted model are s1, s2, … */
  readonly segments?: readonly string[]
}

/** Model JSON, and the names of the categories in the order of their codes. */
type StoredJson = ModelJson & { readonly categories?: Readonly<Record<string, readonly string[]>> }

/** The JSON of a stored model. */
export function storedJson({ model, columns }: StoredModel): StoredJson {
  const categories = columns.flatMap(({ name, values }) => (values ? [[name, values] as const] : []))
  const json = modelToJson(model)
  return categories.length === 0 ? json : { ...json, categories: Object.fromEntries(categories) }
}

/** Writes a model file, replacing an old one. */
export async function writeModel(path: string, stored: StoredModel): Promise<void> {
  try {
    await writeFile(path, JSON.stringify(storedJson(stored)) + '\n')
  } catch (error) {
    throw new ModelError(`${path}: expected a file that can be written, got "${(error as Error).message}".`)
  }
}

/**
 * Reads a model file made by `eddy fit --out`, a snapshot as `eddy models show` prints it, or the `weights_`, `means_` and
 * `covariances_` of a scikit-learn GaussianMixture.
 * @throws ModelError when it is missing or no model
 */
export async function readModel(path: string): Promise<StoredModel> {
  return parseStored(path, await readJson(path))
}

/** The model of a JSON value that stands in the file `path`. */
export function parseStored(path: string, value: unknown): StoredModel {
  const json = value as StoredJson
  try {
    if (isSnapshot(value)) return storedOfSnapshot(value)
    const { model, named } = hasMomentsOnly(value)
      ? modelFromMoments(value)
      : { model: modelFromJson(json), named: true }
    const columns = model.specification.features.map(
      ({ name, type }): StoredFeature => ({ name, type, values: json.categories?.[name] }),
    )
    return { model, columns, ...(named ? {} : { unnamed: true as const }) }
  } catch (error) {
    throw new ModelError(`${path}: ${(error as Error).message}`)
  }
}

/** What of `snapshotJson` makes a model; a number that JSON has no word for is null. */
interface SnapshotJson {
  readonly specification: ModelSpecification
  readonly parameters: Readonly<Record<string, readonly (number | null)[]>>
  readonly segmentIds: readonly string[]
  readonly step: number
}

function isSnapshot(value: unknown): value is SnapshotJson {
  const { specification, parameters, segmentIds } = (value ?? {}) as Partial<SnapshotJson>
  return typeof specification === 'object' && typeof parameters === 'object' && Array.isArray(segmentIds)
}

function storedOfSnapshot({ specification, parameters, segmentIds, step }: SnapshotJson): StoredModel {
  const numbers = Object.entries(parameters).map(
    ([name, values]) => [name, Float64Array.from(values, value => value ?? Number.NaN)] as const,
  )
  return storedModelOf({ specification, parameters: Object.fromEntries(numbers), segmentIds, step })
}

/** The model of a snapshot. */
export function storedModelOf(
  snapshot: Pick<SnapshotJson, 'specification' | 'segmentIds' | 'step'> & Pick<Model, 'parameters'>,
): StoredModel {
  const { specification, parameters, segmentIds, step } = snapshot
  return {
    model: { specification, parameters, lowerBound: Number.NaN, converged: false, iterations: step },
    columns: specification.features.map(({ name, type, values }): StoredFeature => ({ name, type, values })),
    segments: segmentIds,
  }
}

/** Any JSON file. */
export async function readJson(path: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new ModelError(
      `${path}: expected a JSON file, got ${missing ? 'no such file' : `"${(error as Error).message}"`}. Check the path.`,
    )
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ModelError(`${path}: expected JSON, got "${(error as Error).message}".`)
  }
}
