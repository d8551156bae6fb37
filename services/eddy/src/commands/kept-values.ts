import { type InputRecord, isIdName, missingFeatures, numeralOf } from '@eddy/records'

/**
 * The values of a record that `--keep` copies into an output line, with the type that they have. In text (CSV) a number is what has the
 * same digits as one; ids stay as they are written. Whole numbers that a double cannot hold become text, with all digits.
 * @throws InputError for a column that is not there
 */
export function keptValues(
  record: InputRecord,
  names: readonly string[] | undefined,
  file: string,
): Record<string, unknown> {
  if (!names) return {}
  return Object.fromEntries(
    names.map(name => {
      const value = record.get(name)
      if (value === undefined && record.textual) throw missingFeatures(file, [name], record.names())
      if (record.textual && typeof value === 'string' && !isIdName(name)) return [name, typed(value)]
      if (typeof value === 'number' && !Number.isFinite(value)) return [name, record.text(name)]
      return [name, isExact(value) ? (value ?? null) : record.text(name)]
    }),
  )
}

const isExact = (value: unknown): boolean =>
  typeof value !== 'number' || !Number.isInteger(value) || Number.isSafeInteger(value)

/** A cell as JSON: a number where it is written as one and keeps its digits ("007" is none), else text. */
function typed(cell: string): unknown {
  if (cell === 'true' || cell === 'false') return cell === 'true'
  const number = numeralOf(cell)
  const canonical = cell.replace(/^(-?\d+\.\d*?)0+$/, '$1').replace(/\.$/, '')
  return String(number) === canonical ? number : cell
}
