/** What an error of a client library says, with the last of those it is made of: "failed 151 times" alone tells nobody why. */
export function said(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const last = error instanceof AggregateError ? error.errors.at(-1) : undefined
  return last === undefined ? error.message : `${error.message} Last: ${said(last)}`
}
