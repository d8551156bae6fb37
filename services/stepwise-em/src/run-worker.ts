import { type Delivery, pastGaps } from '@eddy/log'
import { featureSchema } from '@eddy/messages'
import { gapPolicy, onAbort, type Process, quietAfter, runStage } from '@eddy/runtime'
import { groupName } from '@eddy/settings'
import { filter, merge, NEVER, Subject, takeUntil, tap } from 'rxjs'
import { eStepWorker } from './e-step-worker.ts'
import type { LearningHooks, LearningOptions } from './learning-options.ts'

/** Feature vectors × snapshot → statistics, until the signal. */
export async function runWorker(
  { configuration, specification, eStep }: Omit<LearningOptions, 'mStep'>,
  process: Pick<
    Process,
    'assignments' | 'health' | 'log' | 'logger' | 'metrics' | 'now' | 'published' | 'signal' | 'snapshots'
  >,
  hooks: LearningHooks = {},
): Promise<void> {
  const { assignments, log, metrics, snapshots, signal, published } = process
  const { topics, model } = configuration
  const group = groupName(configuration, 'e-step')
  const { ends = NEVER, whenQuiet = async () => 'here' } = hooks
  const stopped = onAbort(signal)
  const arrived = new Subject<Delivery>()
  const held = assignments.of('e-step')
  const emissions = eStepWorker(
    {
      model: model.name,
      schema: featureSchema(specification.features),
      batchSize: model.batchSize,
      topics,
      eStep,
      metrics,
      onBatch: (partition, to) => published.set(partition, to),
    },
    {
      // Ends at once on the signal: what a batch that is not full holds back is learned by the next process.
      features: (from, onAssignment) =>
        log
          .consume(topics.features, {
            group,
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
      async begins(ledger) {
        const starts = (await log.offsets(topics.features)).map(({ partition, start }) => [partition, start] as const)
        const passes = gapPolicy({ ...process, stage: 'e-step', onGap: configuration.log.onGap })
        return new Map([...starts, ...(await pastGaps(log, topics.features, ledger, passes))])
      },
      snapshots: snapshots.pipe(filter(({ provisional }) => !provisional)),
      ends: merge(ends, quietAfter(arrived, model.maxWaitMs, whenQuiet)).pipe(takeUntil(stopped)),
    },
  )
  await runStage(emissions, { ...process, stage: 'e-step', group })
}
