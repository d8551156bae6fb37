import type { KernelResult } from './measure.ts'

/** A ratio may fall to this share of the committed one before it counts as a regression: shared machines are noisy. */
export const TOLERANCE = 0.75

/**
 * Results whose ratio to scikit-learn is below `TOLERANCE` of the committed one. Ratios, never times: those belong to a machine.
 * @returns one line each
 */
export function regressions(committed: readonly KernelResult[], fresh: readonly KernelResult[]): string[] {
  return fresh.flatMap(result => {
    const before = committed.find(
      each =>
        each.shape === result.shape &&
        each.step === result.step &&
        each.variant === result.variant &&
        each.batch === result.batch,
    )
    if (before === undefined || result.ratioToSklearn >= TOLERANCE * before.ratioToSklearn) return []
    const what = `${result.shape} ${result.step} ${result.variant}, batch ${result.batch}`
    return [`${what}: expected at least ${TOLERANCE} × ${before.ratioToSklearn}, got ${result.ratioToSklearn}`]
  })
}
