import type { StoredRecord } from '@eddy/log'
import type { Metrics } from '@eddy/runtime'
import { scoring } from '@eddy/scoring'
import { groupName } from '@eddy/settings'
import { type Context, maxRecordsOn, runEmissions, timed } from './context.ts'

/** Feature vectors → labels, until the signal. */
export function runScoring(context: Context, onDurable?: () => void): Promise<void> {
  const { assignments, configuration, log, metrics, snapshots, signal, now, steps } = context
  const { topics } = configuration
  const deliveries = timed(
    log.consume(topics.features, {
      group: groupName(configuration, 'scoring'),
      maxRecords: maxRecordsOn(log),
      signal,
      ahead: true,
      onAssignment: assignments.of('scoring'),
    }),
  )
  const emissions = scoring({ topics, score: steps.score }, snapshots)(deliveries)
  return runEmissions(context, 'scoring', emissions, ({ settles }) => {
    for (const { records } of settles) observeLatency(records, now(), metrics)
    onDurable?.()
  })
}

/** Records appended together carry one timestamp: each run of equal ones is one observation. */
function observeLatency(
  records: readonly Pick<StoredRecord, 'timestamp'>[],
  now: number,
  { labelLatency }: Pick<Metrics, 'labelLatency'>,
): void {
  for (let from = 0; from < records.length; ) {
    const { timestamp } = records[from]!
    let to = from + 1
    while (to < records.length && records[to]!.timestamp === timestamp) to++
    labelLatency.observe((now - timestamp) / 1000, to - from)
    from = to
  }
}
