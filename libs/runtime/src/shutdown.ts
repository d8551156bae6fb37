/**
 * Aborts on the first SIGINT or SIGTERM, so that stages drain; a second one ends the process at once with code 130.
 * Call `dispose` when the work has ended by itself.
 */
export function shutdownSignal(): {
  readonly signal: AbortSignal
  readonly received: () => NodeJS.Signals | undefined
  readonly dispose: () => void
} {
  const controller = new AbortController()
  let received: NodeJS.Signals | undefined
  const handler = (name: NodeJS.Signals): void => {
    if (received !== undefined) process.exit(130)
    received = name
    controller.abort(new Error(name))
  }
  process.on('SIGINT', handler)
  process.on('SIGTERM', handler)
  return {
    signal: controller.signal,
    received: () => received,
    dispose: () => {
      process.off('SIGINT', handler)
      process.off('SIGTERM', handler)
    },
  }
}
