import type { Delivery } from '@eddy/log'
import { groupName } from '@eddy/settings'
import { eStepWorker, type InputEnd } from '@eddy/stepwise-em'
import { merge, NEVER, type Observable, Subject, takeUntil, tap } from 'rxjs'
import { type Context, runEmissions } from './context.ts'
import { onAbort } from './on-abort.ts'
import { quietAfter, type WhenQuiet } from './quiet.ts'

export interface LearningHooks {
  /** where the input ends for now, if somebody knows */
  readonly ends?: Observable<InputEnd>
  /** default: what has arrived is all, for now */
  readonly whenQuiet?: WhenQuiet
}

/** Feature vectors × snapshot → statistics, until the signal. */
export async function runWorker(context: Context, hooks: LearningHooks = {}): Promise<void> {
  const { assignments, configuration, log, metrics, snapshots, signal, specification, published, steps } = context
  const { topics, model } = configuration
  const { ends = NEVER, whenQuiet = async () => 'here' } = hooks
  const stopped = onAbort(signal)
  const arrived = new Subject<Delivery>()
  const held = assignments.of('e-step')
  const emissions = eStepWorker(
    {
      model: model.name,
      columns: specification.features.length,
      batchSize: model.batchSize,
      topics,
      eStep: steps.eStep,
      metrics,
      onBatch: (partition, to) => published.set(partition, to),
    },
    {
      // Ends at once on the signal: what a batch that is not full holds back is learned by the next process.
      features: (from, onAssignment) =>
        log
          .consume(topics.features, {
            group: groupName(configuration, 'e-step'),
            from,
            ahead: true,
            onAssignment: partitions => {
              held(partitions)
              onAssignment(partitions)
            },
          })
          .pipe(
            tap(delivery => arrived.next(delivery)),
            takeUntil(stopped),
          ),
      snapshots,
      ends: merge(ends, quietAfter(arrived, model.maxWaitMs, whenQuiet)).pipe(takeUntil(stopped)),
    },
  )
  await runEmissions(context, 'e-step', emissions)
}
