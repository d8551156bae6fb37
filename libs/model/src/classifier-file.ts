import { writeFile } from 'node:fs/promises'
import { ModelError, parseStored, readJson, type StoredFeature, type StoredModel, storedJson } from './model-file.ts'

/** A Bayes classifier of mixtures: what a classifier file holds. */
export interface StoredClassifier {
  /** name of the column that is predicted */
  readonly label: string
  readonly classes: readonly { readonly name: string; readonly prior: number; readonly stored: StoredModel }[]
}

/** Writes a classifier file, replacing an old one. */
export async function writeClassifier(path: string, { label, classes }: StoredClassifier): Promise<void> {
  const json = {
    format: 'eddy-classifier',
    version: 1,
    label,
    classes: classes.map(({ name, prior, stored }) => ({ name, prior, model: storedJson(stored) })),
  }
  try {
    await writeFile(path, JSON.stringify(json) + '\n')
  } catch (error) {
    throw new ModelError(`${path}: expected a file that can be written, got "${(error as Error).message}".`)
  }
}

/**
 * Reads a classifier file made by `eddy classify --out`.
 * @throws ModelError when it is missing or no classifier
 */
export async function readClassifier(path: string): Promise<StoredClassifier> {
  const json = (await readJson(path)) as {
    format?: unknown
    label?: unknown
    classes?: { name: string; prior: number; model: unknown }[]
  } | null
  if (json?.format !== 'eddy-classifier' || typeof json.label !== 'string' || !Array.isArray(json.classes)) {
    throw new ModelError(
      `${path}: expected JSON with "format": "eddy-classifier", got something else. Make one by eddy classify --train FILE --label COLUMN --out FILE.`,
    )
  }
  const classes = json.classes.map(({ name, prior, model }) => {
    if (typeof name !== 'string' || !(prior > 0)) {
      throw new ModelError(`${path}: classes: expected a name and a prior > 0, got ${JSON.stringify({ name, prior })}.`)
    }
    return { name, prior, stored: parseStored(path, model) }
  })
  return { label: json.label, classes }
}

/** The features of a classifier: the same for every class. */
export function classifierColumns({ classes }: StoredClassifier): readonly StoredFeature[] {
  return classes[0]!.stored.columns
}
