import type { PipelineResult } from './command.ts'

/** A ratio may fall to this share of the committed one before it counts as a regression: shared machines are noisy. */
export const TOLERANCE = 0.75

const guarded = ['ratioToBareLog', 'processorRatioToBareLog', 'ratioToSameHops', 'processorRatioToSameHops'] as const

type Guarded = Pick<PipelineResult, 'log' | 'format' | (typeof guarded)[number]>

/**
 * Results one of whose ratios is below `TOLERANCE` of the committed one. Ratios, never times: those belong to a machine.
 * @returns one line each
 */
export function regressions(committed: readonly Guarded[], fresh: readonly Guarded[]): string[] {
  return fresh.flatMap(result => {
    const before = committed.find(({ log, format }) => log === result.log && format === result.format)
    if (before === undefined) return []
    return guarded
      .filter(name => result[name] < TOLERANCE * before[name])
      .map(name => `${result.format}, ${name}: expected at least ${TOLERANCE} × ${before[name]}, got ${result[name]}`)
  })
}
