import type { EventLog } from '@eddy/log'
import type { LedgerEntry, Snapshot } from '@eddy/messages'
import type { ModelSpecification } from '@eddy/mixture'
import { featureChanges, formChanges, learnable, newestOfEachModel, snapshotRecords } from '@eddy/model'
import { InputError } from '@eddy/records'
import { ConfigurationError } from '@eddy/runtime'
import { type Configuration, type Feature, groupName, specificationOf } from '@eddy/settings'
import { changedSegments } from '@eddy/stepwise-em'

export interface PromoteOptions {
  /** whether what is stored is to be labelled once more */
  readonly relabel: boolean
  /** milliseconds since 1970-01-01 UTC */
  readonly now: number
}

/**
 * Makes a model that was learned beside the stored one its newest snapshot. It has learned what its ledger says, and goes on from there: what has
 * come since is learned by it too, once. Nothing else may be at work on the log.
 * @returns the new snapshot
 * @throws {ConfigurationError} where the configuration has another form: nothing could go on from it
 * @throws {InputError} where the stored model's segments have changed since, or, with other features, where something is not learned or labelled yet
 */
export async function promoteCandidate(
  log: EventLog,
  configuration: Configuration,
  features: readonly Feature[],
  candidate: Snapshot,
  { relabel, now }: PromoteOptions,
): Promise<Snapshot> {
  const { topics, log: limits } = configuration
  const form = JSON.parse(candidate.specification) as ModelSpecification
  refuseOtherForm(form, configuration, features)
  const models = await newestOfEachModel({ log, topic: topics.snapshots })
  const current = models.find(({ model }) => model === candidate.model)
  if (current === undefined || current.epoch !== candidate.epoch)
    throw new InputError(
      `model ${candidate.model}: expected the segments beside which it was learned anew, got others since. Run \`eddy relearn\` once more.`,
    )
  const was = JSON.parse(current.specification) as ModelSpecification
  const sameFeatures = featureChanges(was.features, form.features).length === 0
  const ledger = sameFeatures
    ? await stillStored(log, topics.features, candidate.ledger)
    : await ledgerOfOtherFeatures(log, configuration, current, candidate)
  if (relabel && !sameFeatures)
    throw new InputError(
      '--relabel: expected the features of the stored vectors, got others. Label events of a file with the new ones: eddy score --model.',
    )
  const version = current.version + 1n
  const born = candidate.segments.filter(({ id }) => !current.segments.some(each => each.id === id))
  const gone = current.segments.filter(({ id }) => !candidate.segments.some(each => each.id === id))
  const next: Snapshot = {
    ...candidate,
    version,
    epoch: version,
    createdAt: now,
    segments: candidate.segments.map(segment => (born.includes(segment) ? { ...segment, since: version } : segment)),
    ledger,
    // Those under way are of components that are none any more.
    statisticsOffset: (await log.offsets(topics.statistics))[0]?.end ?? 0,
  }
  const ids = (segments: Snapshot['segments']): readonly string[] => segments.map(({ id }) => id)
  const lineage = changedSegments(
    { born: ids(born), gone: ids(gone) },
    { model: next.model, snapshotVersion: version, time: now },
  )
  const publications = [
    { topic: topics.snapshots, records: snapshotRecords(next, limits.maxRecordBytes) },
    ...(lineage.length === 0 ? [] : [{ topic: topics.lineage, records: lineage }]),
  ]
  const back = relabel ? await log.offsets(topics.features) : []
  // One partition a transaction: the model comes with the last.
  for (const [i, { partition, start }] of back.entries()) {
    const deliveries = [{ topic: topics.features, partition, nextOffset: start }]
    const settles = { group: groupName(configuration, 'scoring'), deliveries }
    await log.publish(i === back.length - 1 ? publications : [], { settles })
  }
  if (back.length === 0) await log.publish(publications)
  return next
}

function refuseOtherForm(form: ModelSpecification, configuration: Configuration, features: readonly Feature[]): void {
  const changes = formChanges(form, specificationOf(configuration, features))
  if (changes.length > 0)
    throw new ConfigurationError(
      changes.map(
        ({ setting, stored, configured }) =>
          `${setting}: expected ${stored}, as the model has that was learned anew, got ${configured}; promote it with the configuration that it was learned with, or drop it`,
      ),
    )
}

/** @throws {InputError} where retention has dropped what was to be learned next */
async function stillStored(
  log: EventLog,
  topic: string,
  ledger: readonly LedgerEntry[],
): Promise<readonly LedgerEntry[]> {
  const starts = new Map((await log.offsets(topic)).map(({ partition, start }) => [partition, start]))
  const dropped = ledger.find(({ partition, next }) => (starts.get(partition) ?? 0) > next)
  if (dropped !== undefined)
    throw new InputError(
      `${topic}/${dropped.partition}: expected what has come since it was learned anew, from offset ${dropped.next} on, got records from ${starts.get(dropped.partition)} on. Run \`eddy relearn\` once more.`,
    )
  return ledger
}

/**
 * With other features, ingest and all that read vectors begin with the next event: everything before must have been through all stages, and be
 * what the new model was learned from. Of vectors, it has learned those that are of its features: most often none.
 */
async function ledgerOfOtherFeatures(
  log: EventLog,
  configuration: Configuration,
  current: Snapshot,
  candidate: Snapshot,
): Promise<readonly LedgerEntry[]> {
  const { topics } = configuration
  const nextIn = (ledger: readonly LedgerEntry[]) => new Map(ledger.map(({ partition, next }) => [partition, next]))
  const stages = [
    ['ingested', topics.events, await log.positions(topics.events, groupName(configuration, 'ingest'))],
    ['labelled', topics.features, await log.positions(topics.features, groupName(configuration, 'scoring'))],
    ['learned', topics.features, nextIn(current.ledger)],
    ['learned anew', topics.features, nextIn(candidate.ledger)],
  ] as const
  for (const [what, topic, position] of stages)
    for (const { partition, end } of await log.offsets(topic))
      if ((position.get(partition) ?? 0) < end)
        throw new InputError(
          `${topic}/${partition}: expected all of ${end} records to be ${what} before the features change, got ${position.get(partition) ?? 0}. Run \`eddy up --exit-when-drained\` with the stored features, then \`eddy relearn\` once more.`,
        )
  const { specification, ledger } = candidate
  const fitting = await learnable(log, topics.features, { ledger, specification })
  return ledger.map(entry => {
    const { events, offsetsHash } = fitting.get(entry.partition)!
    return { ...entry, events: BigInt(events), offsetsHash }
  })
}
