import type { Snapshot } from '@eddy/messages'
import type { ModelSpecification } from '@eddy/mixture'

/** A snapshot with the settings that may change while a model is learned: prior, step size and warm-up. The rest of its form stays. */
export function retuned(snapshot: Snapshot, { prior, stepSize, warmUp }: ModelSpecification): Snapshot {
  const stored = JSON.parse(snapshot.specification) as ModelSpecification
  return { ...snapshot, specification: JSON.stringify({ ...stored, prior, stepSize, warmUp }) }
}
