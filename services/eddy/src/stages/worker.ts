import { type EStep, eStepWorker } from '@eddy/stepwise-em'
import { fromEvent, type Observable, takeUntil } from 'rxjs'
import { type Context, groupName, runEmissions } from './context.ts'

/** Feature vectors × snapshot → statistics, until the signal. */
export function runWorker(
  context: Context,
  eStep: EStep,
  ends: Observable<ReadonlyMap<number, number>>,
): Promise<void> {
  const { configuration, log, metrics, snapshots, signal, specification } = context
  const { topics, model } = configuration
  const emissions = eStepWorker(
    { model: model.name, columns: specification.features.length, batchSize: model.batchSize, topics, eStep, metrics },
    {
      // Ends at once on the signal: what a batch that is not full holds back is learned by the next process.
      features: from =>
        log
          .consume(topics.features, { group: groupName(configuration, 'e-step'), from })
          .pipe(takeUntil(fromEvent(signal, 'abort'))),
      snapshots,
      ends,
    },
  )
  return runEmissions(context, 'e-step', emissions)
}
