import { scoring } from '@eddy/scoring'
import { type Context, groupName, maxRecordsOn, runEmissions, timed } from './context.ts'

/** Feature vectors → labels, until the signal. */
export function runScoring(context: Context, onDurable?: () => void): Promise<void> {
  const { assignments, configuration, log, metrics, snapshots, signal, now } = context
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
  return runEmissions(context, 'scoring', scoring({ topics }, snapshots)(deliveries), ({ settles }) => {
    for (const { records } of settles)
      for (const { timestamp } of records) metrics.labelLatency.observe((now() - timestamp) / 1000)
    onDurable?.()
  })
}
