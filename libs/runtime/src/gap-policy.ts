import type { Gap } from '@eddy/log'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'

export interface GapPolicy {
  readonly stage: string
  /** `skip`: what is gone is told and counted, and the stage goes on after it */
  readonly onGap: 'fail' | 'skip'
  readonly logger: Pick<Logger, 'warn'>
  readonly metrics: Pick<Metrics, 'skippedRecords'>
}

/** What a stage does where records that it was to read next are gone. */
export const gapPolicy =
  ({ stage, onGap, logger, metrics }: GapPolicy) =>
  (gap: Gap): boolean => {
    if (onGap === 'fail') return false
    logger.warn({ stage, ...gap }, 'records were gone before they could be read: going on after them')
    metrics.skippedRecords.inc({ stage }, gap.to - gap.from)
    return true
  }
