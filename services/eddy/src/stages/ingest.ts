import { ingest } from '@eddy/ingest'
import { groupName } from '@eddy/settings'
import { type Context, maxRecordsOn, runEmissions, timed } from './context.ts'

/** Events → feature vectors and dead letters, until the signal. */
export function runIngest(context: Context, onDurable?: () => void): Promise<void> {
  const { assignments, configuration, log, metrics, rules, signal } = context
  const { topics, log: limits } = configuration
  const deliveries = timed(
    log.consume(topics.events, {
      group: groupName(configuration, 'ingest'),
      maxRecords: maxRecordsOn(log),
      signal,
      onAssignment: assignments.of('ingest'),
    }),
  )
  return runEmissions(
    context,
    'ingest',
    ingest({ rules, topics, maxEventBytes: limits.maxEventBytes, metrics })(deliveries),
    onDurable,
  )
}
