import type { ColumnPlan, PlannedColumn } from '@eddy/records'
import { counted } from '@eddy/runtime'
import type { Feature } from '@eddy/settings'
import { NONE, percent } from '../command-line/figures.ts'
import { table } from '../command-line/table.ts'

/** What becomes of each column of a file: its type and treatment, how much of it is missing or wrong, or why it is not learned. */
export function columnTable({ columns, records }: ColumnPlan, features: readonly Feature[]): string {
  const treatments = new Map(
    features.map(({ name, type, transform }) => [name, type === 'number' ? transform : 'none']),
  )
  const share = (count: number): string => (count === 0 ? NONE : percent(Math.max(0.001, count / records)))
  const rows = columns.map(column => [
    column.name,
    column.type ?? NONE,
    treatments.get(column.name) ?? NONE,
    share(column.missing),
    share(column.wrong),
    remark(column, records),
  ])
  return `${table(['column', 'type', 'transform', 'missing', 'wrong', ''], rows)}\n(of the first ${counted(records, 'record')})`
}

function remark({ type, role, reason, missing, wrong }: PlannedColumn, records: number): string {
  if (type === undefined) return role ?? `left out: ${reason}`
  if (missing === records) return 'no record has it: is it spelt as in the file?'
  return wrong > 0 ? 'events with a wrong value are refused' : ''
}
