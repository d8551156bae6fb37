import { describeType, indexOfLargest, type Model, type ModelJson, modelToJson } from '@eddy/mixture'
import type { StoredFeature } from '@eddy/model'
import { shortNumber, table } from '../command-line/table.ts'

export interface SegmentTableOptions {
  /** in the order of the model's features; a unit is shown beside the name */
  readonly columns: readonly (StoredFeature & { readonly unit?: string | undefined })[]
  /** of each component, in order */
  readonly ids: readonly string[]
  /** some of each segment's customers, by id; no such column if absent */
  readonly customers?: ReadonlyMap<string, readonly string[]>
  /** otherwise in the order of the components */
  readonly heaviestFirst?: boolean
}

/**
 * A model for people: one line a segment with its share and what is typical of it, in the user's units: the centre of a number, the
 * mean of a count, the probability of true, the most probable category.
 */
export function segmentTable(
  { specification, parameters }: Pick<Model, 'specification' | 'parameters'>,
  { columns, ids, customers, heaviestFirst = false }: SegmentTableOptions,
): string {
  const json = modelToJson({ specification, parameters, lowerBound: Number.NaN, converged: false, iterations: 0 })
  const names = columns.map(({ name, unit }) => (unit === undefined ? name : `${name} (${unit})`))
  const order = json.weights_.map((_, k) => k)
  if (heaviestFirst) order.sort((a, b) => json.weights_[b]! - json.weights_[a]!)
  const rows = order.map(k => [
    ids[k]!,
    `${(100 * json.weights_[k]!).toFixed(1)}%`,
    ...columns.map(column => typical(json, column, k)),
    ...(customers === undefined ? [] : [customers.get(ids[k]!)?.join(', ') ?? '']),
  ])
  return table(['segment', 'share', ...names, ...(customers === undefined ? [] : ['customers'])], rows)
}

function typical(json: ModelJson, { name, type, values }: StoredFeature, k: number): string {
  const { written, json: place } = describeType(type)
  if (place === undefined) {
    const probabilities = json.category_probabilities_![name]![k]!
    const likely = indexOfLargest(Float64Array.from(probabilities))
    return `${values?.[likely] ?? '?'} ${(100 * probabilities[likely]!).toFixed(0)}%`
  }
  const told = json as unknown as Readonly<Record<string, readonly string[] & readonly (readonly number[])[]>>
  const value = told[place.typical]![k]![told[place.names]!.indexOf(name)]!
  return written === 'truth' ? `${(100 * value).toFixed(0)}%` : shortNumber(value)
}
