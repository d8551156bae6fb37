import { type Delivery, pastGaps } from '@eddy/log'
import { featureSchema, type LineageKind, lineageCodec } from '@eddy/messages'
import { newestSnapshot, retuned } from '@eddy/model'
import { type Emission, type Metrics, onAbort, type Process, quietAfter, runStage, timed } from '@eddy/runtime'
import { type Configuration, groupName } from '@eddy/settings'
import { concatMap, filter, map, NEVER, Subject, takeUntil, tap } from 'rxjs'
import { learnedEvents } from './learned-events.ts'
import type { LearningHooks, LearningOptions } from './learning-options.ts'
import { Updater, type UpdaterOptions } from './updater.ts'
import { warmUpStage } from './warm-up.ts'

const lineageKinds: readonly LineageKind[] = ['birth', 'death', 'split', 'merge', 'drift']

export interface UpdaterHooks extends LearningHooks {
  /** Told, with the version of the snapshot, once everything in the statistics topic at the start has been folded. */
  readonly onCaughtUp?: (version: bigint) => void
}

type UpdaterProcess = Pick<
  Process,
  'assignments' | 'health' | 'log' | 'logger' | 'metrics' | 'now' | 'signal' | 'snapshotSource' | 'snapshots'
>

/**
 * Folds statistics into snapshots until the signal, after a warm-up where there is no snapshot yet. Several updaters of one
 * model may run: the statistics topic has one partition, so that one of them has it and the others stand by. Who gets it
 * begins from the newest snapshot.
 */
export async function runUpdater(
  learning: Omit<LearningOptions, 'eStep'>,
  process: UpdaterProcess,
  hooks: UpdaterHooks = {},
): Promise<void> {
  const { configuration, specification, kernel, mStep } = learning
  const { log, signal, now, logger, metrics, snapshotSource } = process
  const { topics, model, log: limits } = configuration
  for (const kind of lineageKinds) metrics.lineage.inc({ model: model.name, kind }, 0)
  const options: UpdaterOptions = {
    model: model.name,
    foldsPerSnapshot: model.foldsPerSnapshot,
    maxRecordBytes: limits.maxRecordBytes,
    topics,
    seed: model.seed,
    async start(partition) {
      return (await log.offsets(topics.features)).find(offsets => offsets.partition === partition)?.start ?? 0
    },
    onGap: limits.onGap,
    events: learnedEvents(log, topics.features, featureSchema(specification.features)),
    ...(kernel === undefined ? {} : { kernel }),
    now,
    mStep,
    logger,
    metrics,
  }
  const storedEnd = (await log.offsets(topics.statistics))[0]?.end ?? 0
  let folding: Updater | undefined
  // Read only by who has the partition: an updater that died has left a transaction open, and who follows it has ended that.
  const begin = async (): Promise<ReadonlyMap<number, number>> => {
    let snapshot = await newestSnapshot(snapshotSource)
    if (snapshot === undefined || snapshot.provisional) {
      await warmUp(learning, process, hooks, snapshot?.version)
      snapshot = await newestSnapshot(snapshotSource)
    }
    // Stopped before there were enough events to begin with.
    if (snapshot === undefined || snapshot.provisional) return new Map()
    folding = new Updater(options, retuned(snapshot, specification))
    // Statistics that are gone are made again, from the ledger on: nothing is lost with them.
    const begins = await pastGaps(log, topics.statistics, new Map([[0, snapshot.statisticsOffset]]), gap => {
      logger.warn({ stage: 'updater', ...gap }, 'statistics were gone before they were folded: they are made again')
      return true
    })
    if (begins.get(0)! >= storedEnd) hooks.onCaughtUp?.(snapshot.version)
    return begins
  }
  const group = groupName(configuration, 'updater')
  const deliveries = log.consume(topics.statistics, {
    group,
    from: begin,
    maxRecords: 64,
    signal,
    ahead: true,
    onAssignment: process.assignments.of('updater'),
  })
  // Each delivery goes to the updater of the newest assignment when it arrives.
  const emissions = timed(deliveries).pipe(
    map(delivery => ({ delivery, updater: folding as Updater })),
    concatMap(({ delivery, updater }) => updater.fold(delivery)),
  )
  const onDurable = (emission: Emission): void => {
    countLineage(emission, configuration, metrics)
    if (folding !== undefined && emission.settles.some(({ nextOffset }) => nextOffset >= storedEnd)) {
      hooks.onCaughtUp?.(folding.version)
    }
  }
  await runStage(emissions, { ...process, stage: 'updater', group, onDurable })
}

/** Counts what this process has told of segments. */
function countLineage(
  { publications }: Emission,
  { topics, model }: Pick<Configuration, 'topics' | 'model'>,
  metrics: Pick<Metrics, 'lineage'>,
): void {
  for (const { topic, records } of publications)
    if (topic === topics.lineage)
      for (const { value } of records)
        metrics.lineage.inc({ model: model.name, kind: lineageCodec.decode(value as Uint8Array).kind })
}

/** The first snapshot, unless another updater publishes one first. @param provisionalVersion of the newest one so far, if any */
async function warmUp(
  { configuration, specification, initial, kernel }: Omit<LearningOptions, 'eStep'>,
  process: UpdaterProcess,
  { ends = NEVER, whenQuiet = async () => 'here' }: UpdaterHooks,
  provisionalVersion: bigint | undefined,
): Promise<void> {
  const { log, signal, now, logger, snapshots, metrics } = process
  const { topics, model, log: limits } = configuration
  const begun =
    provisionalVersion === undefined
      ? 'no snapshot yet: warming up'
      : `snapshot ${provisionalVersion} is provisional: warming up goes on`
  logger.info({ events: model.warmUp.events }, begun)
  const arrived = new Subject<Delivery>()
  const options = {
    model: model.name,
    specification,
    events: model.warmUp.events,
    seed: model.seed,
    ...(initial === undefined ? {} : { initial }),
    ...(kernel === undefined ? {} : { kernel }),
    maxRecordBytes: limits.maxRecordBytes,
    topics,
    now,
    logger,
    ...(provisionalVersion === undefined ? {} : { provisionalVersion }),
  }
  const stopped = onAbort(signal)
  const stage = warmUpStage(options, {
    features: log.consume(topics.features, { from: 'earliest', signal }).pipe(tap(delivery => arrived.next(delivery))),
    ends: ends.pipe(takeUntil(stopped)),
    pauses: quietAfter(arrived, model.maxWaitMs, whenQuiet).pipe(takeUntil(stopped)),
    waiting: async () => (await whenQuiet()) !== undefined,
  })
  const first = snapshots.pipe(filter(({ provisional }) => !provisional))
  await runStage(stage.pipe(takeUntil(first)), {
    ...process,
    stage: 'warm-up',
    group: groupName(configuration, 'warm-up'),
    onDurable: emission => countLineage(emission, configuration, metrics),
  })
}
