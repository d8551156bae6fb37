/**
 * Tells what is waited for whenever nothing has moved between two looks; the same only once.
 * @param look one line each; none where nothing is waited for
 * @returns ends it
 */
export function tellStandstill(
  look: () => Promise<readonly string[]>,
  tell: (lines: readonly string[]) => void,
  everyMs = 10_000,
): () => void {
  let before = ''
  let told = ''
  const timer = setInterval(() => {
    look().then(
      lines => {
        const now = lines.join('\n')
        if (now !== '' && now === before && now !== told) {
          told = now
          tell(lines)
        }
        before = now
      },
      // What is wrong with the log ends the stages, which say so.
      () => {},
    )
  }, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}
