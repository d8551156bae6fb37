import { modelToJson } from '@eddy/mixture'
import { shortNumber, table } from '../command-line/table.ts'
import { segmentId } from './evaluate-model.ts'
import type { StoredModel } from './model-file.ts'

/** A model for people: one line a segment with its share and centre in the user's units. */
export function segmentTable({ model, columns }: StoredModel, events: number): string {
  const json = modelToJson(model)
  const centres = (json.centres_ ?? []) as readonly (readonly number[])[]
  const numbers = json.feature_names_in_ ?? []
  const head = ['segment', 'share', ...columns.map(column => column.name)]
  const rows = json.weights_.map((weight, k) => [
    segmentId(k),
    `${(100 * weight).toFixed(1)}%`,
    ...columns.map(({ name }) => {
      const j = numbers.indexOf(name)
      return j < 0 ? '' : shortNumber(centres[k]![j]!)
    }),
  ])
  const { lowerBound, iterations, converged } = model
  return (
    `${table(head, rows)}\n\n${events} events, mean log-likelihood ${shortNumber(lowerBound)} nats, ` +
    `${iterations} iteration${iterations === 1 ? '' : 's'}${converged ? '' : ' (not converged)'}\n`
  )
}
