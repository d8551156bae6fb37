import type { Delivery } from '@eddy/log'
import { type LineageKind, lineageCodec } from '@eddy/messages'
import { newestSnapshot } from '@eddy/model'
import type { Emission } from '@eddy/runtime'
import { groupName } from '@eddy/settings'
import { Updater, type UpdaterOptions, warmUpStage } from '@eddy/stepwise-em'
import { concatMap, map, merge, NEVER, Subject, takeUntil, tap } from 'rxjs'
import { type Context, runEmissions, snapshotSource, timed } from './context.ts'
import { onAbort } from './on-abort.ts'
import { quietAfter } from './quiet.ts'
import type { LearningHooks } from './worker.ts'

const lineageKinds: readonly LineageKind[] = ['birth', 'death', 'split', 'merge', 'drift']

export interface UpdaterHooks extends LearningHooks {
  /** Told, with the version of the snapshot, once everything in the statistics topic at the start has been folded. */
  readonly onCaughtUp?: (version: bigint) => void
}

/**
 * Folds statistics into snapshots until the signal, after a warm-up where there is no snapshot yet. Several updaters of one
 * model may run: the statistics topic has one partition, so that one of them has it and the others stand by. Who gets it
 * begins from the newest snapshot.
 */
export async function runUpdater(context: Context, hooks: UpdaterHooks = {}): Promise<void> {
  const { configuration, log, signal, now, logger, metrics } = context
  const { topics, model, log: limits } = configuration
  const source = snapshotSource(context)
  for (const kind of lineageKinds) metrics.lineage.inc({ model: model.name, kind }, 0)
  const options: UpdaterOptions = {
    model: model.name,
    foldsPerSnapshot: model.foldsPerSnapshot,
    maxRecordBytes: limits.maxRecordBytes,
    topics,
    now,
    mStep: context.steps.mStep,
    logger,
    metrics,
  }
  const storedEnd = (await log.offsets(topics.statistics))[0]?.end ?? 0
  let folding: Updater | undefined
  // Read only by who has the partition: an updater that died has left a transaction open, and who follows it has ended that.
  const begin = async (): Promise<ReadonlyMap<number, number>> => {
    let snapshot = await newestSnapshot(source)
    if (snapshot === undefined) {
      await warmUp(context, hooks)
      snapshot = await newestSnapshot(source)
    }
    // Stopped before there were enough events to begin with.
    if (snapshot === undefined) return new Map()
    folding = new Updater(options, snapshot)
    if (snapshot.statisticsOffset >= storedEnd) hooks.onCaughtUp?.(snapshot.version)
    return new Map([[0, snapshot.statisticsOffset]])
  }
  const group = groupName(configuration, 'updater')
  const deliveries = log.consume(topics.statistics, {
    group,
    from: begin,
    maxRecords: 64,
    signal,
    ahead: true,
    onAssignment: context.assignments.of('updater'),
  })
  // Each delivery goes to the updater of the newest assignment when it arrives.
  const emissions = timed(deliveries).pipe(
    map(delivery => ({ delivery, updater: folding as Updater })),
    concatMap(({ delivery, updater }) => updater.fold(delivery)),
  )
  await runEmissions(context, 'updater', emissions, emission => {
    const { settles } = emission
    countLineage(context, emission)
    if (folding !== undefined && settles.some(({ nextOffset }) => nextOffset >= storedEnd)) {
      hooks.onCaughtUp?.(folding.version)
    }
  })
}

/** Counts what this process has told of segments. */
function countLineage({ configuration, metrics }: Context, { publications }: Emission): void {
  const { topics, model } = configuration
  for (const { topic, records } of publications)
    if (topic === topics.lineage)
      for (const { value } of records)
        metrics.lineage.inc({ model: model.name, kind: lineageCodec.decode(value as Uint8Array).kind })
}

/** The first snapshot, unless another updater publishes one first. */
async function warmUp(context: Context, { ends = NEVER, whenQuiet = async () => 'here' }: UpdaterHooks): Promise<void> {
  const { configuration, log, signal, now, logger, specification, snapshots } = context
  const { topics, model, log: limits } = configuration
  logger.info({ events: model.warmUp.events }, 'no snapshot yet: warming up')
  const arrived = new Subject<Delivery>()
  const options = {
    model: model.name,
    specification,
    events: model.warmUp.events,
    seed: model.seed,
    kernel: context.steps.kernel,
    maxRecordBytes: limits.maxRecordBytes,
    topics,
    now,
  }
  const stage = warmUpStage(options, {
    features: log.consume(topics.features, { from: 'earliest', signal }).pipe(tap(delivery => arrived.next(delivery))),
    ends: merge(ends, quietAfter(arrived, model.maxWaitMs, whenQuiet)).pipe(takeUntil(onAbort(signal))),
  })
  await runEmissions(context, 'warm-up', stage.pipe(takeUntil(snapshots)), emission => countLineage(context, emission))
}
