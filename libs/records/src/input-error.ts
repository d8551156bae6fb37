/** Input that cannot be read, named by file, line and column, with what was expected. Exit code 1. */
export class InputError extends Error {
  override readonly name = 'InputError'
}

/** A value as an error shows it: short, and quoted when it is text. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
