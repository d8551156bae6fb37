import {
  copiesOf,
  describeType,
  indexOfLargest,
  type Model,
  type ModelJson,
  modelToJson,
  segmentMeans,
  treatmentOf,
} from '@eddy/mixture'
import type { StoredFeature } from '@eddy/model'
import { plural } from '@eddy/runtime'
import { figure, percent } from '../command-line/figures.ts'
import { table } from '../command-line/table.ts'

/** The customers of a segment. */
export interface SegmentCustomers {
  readonly count: number
  /** ids of some of them */
  readonly some?: readonly string[]
}

export interface SegmentTableOptions {
  /** in the order of the model's features; a unit is shown beside the name */
  readonly columns: readonly (StoredFeature & { readonly unit?: string | undefined })[]
  /** of each component, in order */
  readonly ids: readonly string[]
  /** of each component, in order; no such column if absent */
  readonly customers?: readonly SegmentCustomers[] | undefined
}

/**
 * A model for people: one line a segment, the largest first, with its share of the events, its customers, and what is typical of it in the
 * user's units: the mean of a number (and beside it the median, where the number is bent or has an atom), of a count and of a duration, the
 * probability of true, the most probable category. Segments that are copies of one another are one line.
 */
export function segmentTable(
  model: Pick<Model, 'specification' | 'parameters'>,
  { columns, ids, customers }: SegmentTableOptions,
): string {
  const copies = copiesOf(model)
  const alike = Array.from(copies, (_, k) => [...copies.keys()].filter(other => copies[other] === k))
  const summed = (value: (k: number) => number) => alike.map(same => same.reduce((sum, k) => sum + value(k), 0))
  const weights = summed(k => model.parameters.weights![k]!)
  const count = summed(k => customers?.[k]?.count ?? 0)
  const order = [...weights.keys()].filter(k => copies[k] === k).sort((a, b) => weights[b]! - weights[a]!)
  const typical = typicalColumns(model, columns)
  const counted = customers === undefined ? [] : ['customers']
  const shown = customers?.some(({ some }) => some !== undefined) ? ['e.g.'] : []
  const rows = order.map(k => [
    ids[k]!,
    percent(weights[k]!),
    ...counted.map(() => count[k]!.toLocaleString('en-US')),
    ...typical.map(({ cells }) => cells[k]!),
    ...shown.map(() => customers![k]!.some?.join(', ') ?? ''),
  ])
  const lines = alike
    .filter(same => same.length > 1)
    .map(
      ([first, ...others]) =>
        `${ids[first!]} stands for ${others.map(k => ids[k]).join(', ')} too, which ${plural(others.length, 'is')} the same: fewer segments would do.`,
    )
  return [table(['segment', 'share', ...counted, ...typical.map(({ head }) => head), ...shown], rows), ...lines].join(
    '\n',
  )
}

interface TypicalColumn {
  readonly head: string
  /** of each component, in order */
  readonly cells: readonly string[]
}

function typicalColumns(
  { specification, parameters }: Pick<Model, 'specification' | 'parameters'>,
  columns: SegmentTableOptions['columns'],
): TypicalColumn[] {
  const json = modelToJson({ specification, parameters, lowerBound: Number.NaN, converged: false, iterations: 0 })
  const means = segmentMeans(specification, parameters)
  return columns.flatMap((column, j) => {
    const { name, type, unit } = column
    const unitOf = [unit, specification.features[j]!.exposure].filter(text => text !== undefined).join(' per ')
    const head = unitOf === '' ? name : unit === undefined ? `${name} per ${unitOf}` : `${name} (${unitOf})`
    const { written, json: place, given } = describeType(type)
    if (given) return []
    if (place === undefined) return [{ head, cells: likeliest(json, column) }]
    const told = json as unknown as Readonly<Record<string, unknown>>
    const at = (told[place.names] as readonly string[]).indexOf(name)
    const centres = (told[place.typical] as readonly (readonly number[])[]).map(row => row[at]!)
    if (written === 'truth') return [{ head, cells: centres.map(share => percent(share, 0)) }]
    const feature = specification.features[j]!
    if (type !== 'number' || isSymmetric(feature)) return [{ head, cells: figures(centres) }]
    const mean = means.map(row => row[at]!)
    const cells = figures(centres)
    return mean.some(Number.isFinite)
      ? [
          { head: `${head}, mean`, cells: figures(mean) },
          { head: 'median', cells },
        ]
      : [{ head: `${head}, median`, cells }]
  })
}

/** Whether a number's mean is its median. */
function isSymmetric(feature: Parameters<typeof treatmentOf>[0]): boolean {
  const { transform, atom } = treatmentOf(feature)
  return transform === 'none' && atom === undefined
}

const figures = (values: readonly number[]): string[] => values.map(value => figure(value, values))

/** Each component's most probable category. */
function likeliest(json: ModelJson, { name, values }: StoredFeature): string[] {
  return json.category_probabilities_![name]!.map(probabilities => {
    const likely = indexOfLargest(Float64Array.from(probabilities))
    return `${values?.[likely] ?? '?'} ${percent(probabilities[likely]!, 0)}`
  })
}
