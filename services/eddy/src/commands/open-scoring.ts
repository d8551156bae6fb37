import { existsSync, statSync } from 'node:fs'
import type { ModelSpecification } from '@eddy/mixture'
import { newestOfEachModel, readModel, type StoredModel, storedModelOf } from '@eddy/model'
import { type FeatureRows, type FeatureStream, InputError } from '@eddy/records'
import { openLog } from '@eddy/settings'
import type { Terminal } from '../command-line/terminal.ts'
import { type InputFlags, inputName, openFeatures } from './input-options.ts'
import { configurationOf } from './log-options.ts'

/** The model of a file, or the newest of a data directory. @throws InputError where that has none, or several */
async function modelAt(path: string, terminal: Terminal): Promise<StoredModel> {
  if (!existsSync(path) || !statSync(path).isDirectory()) return readModel(path)
  const configuration = configurationOf({ dataDir: path }, { ...terminal, environment: {} })
  const log = await openLog(configuration, { readOnly: true })
  try {
    const stored = await newestOfEachModel({ log, topic: configuration.topics.snapshots })
    const [snapshot, ...others] = stored
    if (snapshot === undefined || others.length > 0)
      throw new InputError(
        `${path}: expected one model, got ${stored.map(({ model }) => model).join(', ') || 'none'}. Choose one: eddy models show NAME > model.json.`,
      )
    const specification = JSON.parse(snapshot.specification) as ModelSpecification
    return storedModelOf({
      specification,
      parameters: snapshot.parameters,
      segmentIds: snapshot.segments.map(({ id }) => id),
      step: Number(snapshot.step),
    })
  } finally {
    await log.close()
  }
}

/** A model, and the events that it is to judge. */
export async function openScoring(
  terminal: Terminal,
  flags: InputFlags & { readonly model: string },
): Promise<StoredModel & { readonly stream: FeatureStream }> {
  const stored = await modelAt(flags.model, terminal)
  if (stored.unnamed !== true) return { ...stored, stream: await openFeatures(terminal, flags, stored.columns) }
  const stream = await openFeatures(terminal, flags, undefined)
  const d = stored.columns.length
  async function* checked(): AsyncGenerator<FeatureRows> {
    for await (const rows of stream.batches) {
      const names = stream.columns().map(({ name }) => name)
      if (names.length !== d)
        throw new InputError(
          `${inputName(flags)}: expected ${d} columns of numbers, as the model has no names for its own, got ${names.length} (${names.join(', ')}). Name them in the model file: "feature_names_in_".`,
        )
      yield rows
    }
  }
  return { ...stored, stream: { ...stream, batches: checked() } }
}
