import { constants } from 'node:os'

export type EndingSignal = 'SIGINT' | 'SIGTERM'

/** Wrappers such as `timeout` signal the process and its group: a second signal so soon is the first one, milliseconds. */
const sameSignalMs = 250

/** Exit code of a process that a signal ended: 130 for SIGINT, 143 for SIGTERM. */
export const exitCodeOfSignal = (name: EndingSignal): number => 128 + constants.signals[name]

/**
 * Aborts on the first SIGINT or SIGTERM, so that stages drain; a second one ends the process at once with its exit code.
 * Call `dispose` when the work has ended by itself.
 */
export function shutdownSignal(): {
  readonly signal: AbortSignal
  readonly received: () => EndingSignal | undefined
  readonly dispose: () => void
} {
  const controller = new AbortController()
  let received: EndingSignal | undefined
  let at = 0
  const handler = (name: EndingSignal): void => {
    if (received === undefined) {
      received = name
      at = performance.now()
      controller.abort(new Error(name))
    } else if (performance.now() - at >= sameSignalMs) process.exit(exitCodeOfSignal(name))
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
