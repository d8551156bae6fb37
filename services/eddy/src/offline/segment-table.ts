import { type ModelJson, modelToJson } from '@eddy/mixture'
import type { StoredModel } from '@eddy/model'
import type { FeatureColumn } from '@eddy/records'
import { shortNumber, table } from '../command-line/table.ts'
import { segmentId } from './evaluate-model.ts'

/**
 * A model for people: one line a segment with its share and what is typical of it, in the user's units: the centre of a number, the
 * mean of a count, the probability of true, the most probable category.
 */
export function segmentTable({ model, columns }: StoredModel, events: number): string {
  const json = modelToJson(model)
  const head = ['segment', 'share', ...columns.map(column => column.name)]
  const rows = json.weights_.map((weight, k) => [
    segmentId(k),
    `${(100 * weight).toFixed(1)}%`,
    ...columns.map(column => typical(json, column, k)),
  ])
  const { lowerBound, iterations, converged } = model
  return (
    `${table(head, rows)}\n\n${events} events, lower bound ${shortNumber(lowerBound)} nats per event, ` +
    `${iterations} iteration${iterations === 1 ? '' : 's'}${converged ? '' : ' (not converged)'}\n`
  )
}

function typical(json: ModelJson, { name, type, values }: FeatureColumn, k: number): string {
  const cell = (names: readonly string[] | undefined, rows: unknown) =>
    (rows as readonly (readonly number[])[])[k]![names!.indexOf(name)]!
  switch (type) {
    case 'number':
      return shortNumber(cell(json.feature_names_in_, json.centres_))
    case 'count':
      return shortNumber(cell(json.count_names_, json.rates_))
    case 'boolean':
      return `${(100 * cell(json.boolean_names_, json.probabilities_)).toFixed(0)}%`
    case 'category': {
      const probabilities = json.category_probabilities_![name]![k]!
      const likely = probabilities.indexOf(Math.max(...probabilities))
      return `${values?.[likely] ?? '?'} ${(100 * probabilities[likely]!).toFixed(0)}%`
    }
  }
}
