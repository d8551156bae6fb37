import { readModel, type StoredModel } from '@eddy/model'
import { type FeatureRows, type FeatureStream, InputError } from '@eddy/records'
import type { Terminal } from '../command-line/terminal.ts'
import { type InputFlags, openFeatures } from './input-options.ts'

/** A model, and the events that it is to judge. */
export async function openScoring(
  terminal: Terminal,
  flags: InputFlags & { readonly model: string },
): Promise<StoredModel & { readonly stream: FeatureStream }> {
  const stored = await readModel(flags.model)
  if (stored.unnamed !== true) return { ...stored, stream: await openFeatures(terminal, flags, stored.columns) }
  const stream = await openFeatures(terminal, flags, undefined)
  const d = stored.columns.length
  async function* checked(): AsyncGenerator<FeatureRows> {
    for await (const rows of stream.batches) {
      const names = stream.columns().map(({ name }) => name)
      if (names.length !== d)
        throw new InputError(
          `${flags.input}: expected ${d} columns of numbers, as the model has no names for its own, got ${names.length} (${names.join(', ')}). Name them in the model file: "feature_names_in_".`,
        )
      yield rows
    }
  }
  return { ...stored, stream: { ...stream, batches: checked() } }
}
