import { newestSnapshot, Updater, type UpdaterOptions, warmUpStage } from '@eddy/stepwise-em'
import type { Observable } from 'rxjs'
import { type Context, runEmissions, timed } from './context.ts'

export interface UpdaterHooks {
  /** by partition, an offset at which the features end for now: warm up with what there is */
  readonly ends: Observable<ReadonlyMap<number, number>>
  /** Told, with the version of the snapshot, once everything in the statistics topic at the start has been folded. */
  readonly onCaughtUp?: (version: bigint) => void
}

/** Warms up where there is no snapshot yet, then folds statistics into snapshots until the signal. */
export async function runUpdater(context: Context, { ends, onCaughtUp }: UpdaterHooks): Promise<void> {
  const { configuration, log, signal, now, logger, metrics } = context
  const { topics, model } = configuration
  let snapshot = await newestSnapshot(log, topics.snapshots, model.name)
  if (snapshot === undefined) {
    await warmUp(context, ends)
    snapshot = await newestSnapshot(log, topics.snapshots, model.name)
  }
  if (snapshot === undefined) return
  const options: UpdaterOptions = {
    model: model.name,
    foldsPerSnapshot: model.foldsPerSnapshot,
    topics,
    now,
    logger,
    metrics,
  }
  const [stored] = await log.offsets(topics.statistics)
  const storedEnd = stored?.end ?? 0
  if (snapshot.statisticsOffset >= storedEnd) onCaughtUp?.(snapshot.version)
  const deliveries = log.consume(topics.statistics, {
    from: new Map([[0, snapshot.statisticsOffset]]),
    maxRecords: 64,
    signal,
  })
  const folding = new Updater(options, snapshot)
  await runEmissions(context, 'updater', folding.fold(timed(deliveries)), ({ settles }) => {
    if (settles.some(({ nextOffset }) => nextOffset >= storedEnd)) onCaughtUp?.(folding.snapshot.version)
  })
}

async function warmUp(context: Context, ends: UpdaterHooks['ends']): Promise<void> {
  const { configuration, log, signal, now, logger, specification } = context
  const { topics, model } = configuration
  logger.info({ events: model.warmUp.events }, 'no snapshot yet: warming up')
  const stage = warmUpStage(
    { model: model.name, specification, events: model.warmUp.events, seed: model.seed, topics, now },
    { features: log.consume(topics.features, { from: 'earliest', signal }), ends },
  )
  await runEmissions(context, 'warm-up', stage)
}
