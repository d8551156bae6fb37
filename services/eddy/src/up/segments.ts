import type { Snapshot } from '@eddy/messages'
import { invertTransform, type ModelSpecification } from '@eddy/mixture'

/** A segment as people read it. */
export interface SegmentDescription {
  readonly id: string
  /** mixing weight: share of events, 0 to 1 */
  readonly weight: number
  /** centre by feature, in the user's units; of a bent feature (log1p) the median */
  readonly centre: Readonly<Record<string, number>>
}

/** Segments of a snapshot, heaviest first. */
export function describeSegments(snapshot: Snapshot): SegmentDescription[] {
  const { parameters, segments } = snapshot
  const specification = JSON.parse(snapshot.specification) as ModelSpecification
  const { features } = specification
  const means = parameters.means as Float64Array
  const centres = invertTransform(specification, parameters, {
    rows: segments.length,
    columns: features.length,
    values: means,
  })
  return segments
    .map(({ id }, k) => ({
      id,
      weight: parameters.weights![k]!,
      centre: Object.fromEntries(features.map(({ name }, j) => [name, centres.values[k * features.length + j]!])),
    }))
    .sort((a, b) => b.weight - a.weight)
}
