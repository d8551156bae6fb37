import type { Snapshot } from '@eddy/messages'
import { FEATURE_TYPES, indexOfLargest, type ModelSpecification, modelToJson, segmentMeans } from '@eddy/mixture'

/** A segment as people read it. */
export interface SegmentDescription {
  readonly id: string
  /** mixing weight: share of events, 0 to 1 */
  readonly weight: number
  /**
   * By feature, in the user's units: a number's centre (of a bent one, such as log1p, the median), the mean of a count (per unit
   * of its exposure) or a duration, a boolean's share of true, a category's most probable value
   */
  readonly centre: Readonly<Record<string, number | string>>
  /** By feature of type number: the mean in the user's units; null where it cannot be told (see `segmentMeans`) */
  readonly mean: Readonly<Record<string, number | null>>
}

/** Segments of a snapshot, heaviest first. */
export function describeSegments(snapshot: Snapshot): SegmentDescription[] {
  const specification = JSON.parse(snapshot.specification) as ModelSpecification
  const centres = centresOf(specification, snapshot)
  const weights = snapshot.parameters.weights as Float64Array
  const numbers = specification.features.filter(({ type }) => type === 'number')
  const means = segmentMeans(specification, snapshot.parameters).map(row =>
    Object.fromEntries(numbers.map(({ name }, j) => [name, Number.isNaN(row[j]) ? null : row[j]!])),
  )
  return snapshot.segments
    .map(({ id }, k) => ({ id, weight: weights[k]!, centre: centres[k]!, mean: means[k]! }))
    .sort((a, b) => b.weight - a.weight)
}

function centresOf(
  specification: ModelSpecification,
  { parameters }: Pick<Snapshot, 'parameters'>,
): readonly Readonly<Record<string, number | string>>[] {
  const model = modelToJson({ specification, parameters, lowerBound: Number.NaN, converged: false, iterations: 0 })
  const told = model as unknown as Readonly<Record<string, readonly string[] & readonly (readonly number[])[]>>
  const tables = Object.values(FEATURE_TYPES).flatMap(type =>
    'json' in type ? [[told[type.json.names], told[type.json.typical]] as const] : [],
  )
  const features = specification.features
  return Array.from({ length: specification.components }, (_, k) => {
    const found = new Map<string, number | string>()
    for (const [names, table] of tables) {
      for (const [j, name] of (names ?? []).entries()) found.set(name, table![k]![j]!)
    }
    for (const [name, table] of Object.entries(model.category_probabilities_ ?? {})) {
      const row = table[k]!
      const code = indexOfLargest(Float64Array.from(row))
      found.set(name, features.find(feature => feature.name === name)?.values?.[code] ?? code)
    }
    return Object.fromEntries(features.flatMap(({ name }) => (found.has(name) ? [[name, found.get(name)!]] : [])))
  })
}
