import { type InputRecord, missingFeatures } from '@eddy/records'

/**
 * The values of a record that `--keep` copies into an output line.
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
      return [name, value ?? null]
    }),
  )
}
