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

/** Where the vectors are WebAssembly's own 128 bits the limit is hardly faster than the product, and machines are noisy. */
const LIMIT_TOLERANCE = 1.25

/**
 * Results that are faster than what limit.c reaches, which computes the same and does less: then it is no limit, e.g. compiled in
 * vectors that the machine has not got. Only `dense` does all that limit.c does.
 * @returns one line each
 */
export function brokenLimits(fresh: readonly KernelResult[]): string[] {
  return fresh.flatMap(({ shape, step, variant, batch, ratioToC }) => {
    if (variant !== 'dense' || ratioToC === null || ratioToC <= LIMIT_TOLERANCE) return []
    const what = `${shape} ${step} ${variant}, batch ${batch}`
    return [`${what}: expected at most ${LIMIT_TOLERANCE} × C, got ${ratioToC}: see how limit.c is compiled`]
  })
}
