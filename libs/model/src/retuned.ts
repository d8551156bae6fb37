import type { Snapshot } from '@eddy/messages'
import type { ModelSpecification } from '@eddy/mixture'

/**
 * A snapshot with the settings that may change while a model is learned: prior, step size and warm-up; and with the names of categories, of
 * which older models have only the number. The rest of its form stays.
 */
export function retuned(snapshot: Snapshot, { prior, stepSize, warmUp, features }: ModelSpecification): Snapshot {
  const stored = JSON.parse(snapshot.specification) as ModelSpecification
  const named = stored.features.map((feature, i) => {
    const values = feature.values ?? features[i]?.values
    return values === undefined ? feature : { ...feature, values }
  })
  return { ...snapshot, specification: JSON.stringify({ ...stored, features: named, prior, stepSize, warmUp }) }
}
