import type { Delivery } from '@eddy/log'
import { eStepWorker, type InputEnd } from '@eddy/stepwise-em'
import { merge, NEVER, type Observable, Subject, takeUntil, tap } from 'rxjs'
import { type Context, groupName, runEmissions } from './context.ts'
import { openEStep } from './e-step.ts'
import { onAbort } from './on-abort.ts'
import { quietAfter } from './quiet.ts'

export interface LearningHooks {
  /** where the input ends for now, if somebody knows */
  readonly ends?: Observable<InputEnd>
  /** whether a mini-batch that is not full may be learned when the stream is quiet; default always */
  readonly mayFlush?: () => boolean
}

/** Feature vectors × snapshot → statistics, until the signal. */
export async function runWorker(context: Context, hooks: LearningHooks = {}): Promise<void> {
  const { configuration, log, metrics, snapshots, signal, specification } = context
  const { topics, model } = configuration
  const { ends = NEVER, mayFlush = () => true } = hooks
  const stopped = onAbort(signal)
  const arrived = new Subject<Delivery>()
  const { eStep, close } = openEStep(configuration, specification)
  const emissions = eStepWorker(
    { model: model.name, columns: specification.features.length, batchSize: model.batchSize, topics, eStep, metrics },
    {
      // Ends at once on the signal: what a batch that is not full holds back is learned by the next process.
      features: (from, onAssignment) =>
        log
          .consume(topics.features, { group: groupName(configuration, 'e-step'), from, onAssignment })
          .pipe(tap(arrived), takeUntil(stopped)),
      snapshots,
      ends: merge(ends, quietAfter(arrived, model.maxWaitMs, mayFlush)).pipe(takeUntil(stopped)),
    },
  )
  await runEmissions(context, 'e-step', emissions).finally(close)
}
