import type { Health } from './health.ts'

/** How often a process looks whether it is stuck, milliseconds. */
const everyMs = 5000

/**
 * Rejects when a partition has been stalled at two looks running: the process must then end, and whoever supervises it starts another.
 * A machine that was asleep finds everything late at the first look, and moves on before the second.
 */
export function whenStuck(health: Pick<Health, 'stalled'>): {
  readonly promise: Promise<never>
  readonly cancel: () => void
} {
  const { promise, reject } = Promise.withResolvers<never>()
  let before: readonly string[] = []
  const timer = setInterval(() => {
    const { stalled } = health
    const stuck = stalled.filter(partition => before.includes(partition))
    before = stalled
    if (stuck.length > 0)
      reject(
        new Error(
          `expected progress, got none for a minute in ${stuck.join(', ')}; ending so that the supervisor starts again`,
        ),
      )
  }, everyMs)
  return { promise, cancel: () => clearInterval(timer) }
}
