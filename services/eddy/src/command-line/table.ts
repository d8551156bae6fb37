import Table from 'cli-table3'
import { oneLine } from './terminal.ts'

/** A plain table for people: numbers to the right, no colours, so that it can be piped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const isNumber = (cell: string): boolean => cell === '–' || !Number.isNaN(Number(cell.replaceAll(/[%,]/g, '')))
  const numeric = head.map((_, j) => rows.every(row => isNumber(row[j]!)))
  const made = new Table({
    head: [...head],
    colAligns: numeric.map(right => (right ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: '  ',
    },
  })
  for (const row of rows) made.push(row.map(oneLine))
  return made
    .toString()
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n')
}
