import { type EventLog, LogError } from '@eddy/log'
import type { Snapshot } from '@eddy/messages'
import { ledgerEntries, ledgerOf, newestSnapshot, nextOffset, snapshotRecords } from '@eddy/model'
import { type Configuration, groupName, openLog } from '@eddy/settings'
import { Command } from 'commander'
import { note, print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { configurationOf, type LogFlags, withLogOptions } from './log-options.ts'

interface SkipFlags extends LogFlags {
  readonly dryRun?: true
  readonly json?: true
}

/** Records that a stage was to read next and that are stored no more. */
interface Lost {
  readonly stage: 'ingest' | 'scoring' | 'e-step' | 'updater'
  readonly topic: string
  readonly partition: number
  /** offsets from here… */
  readonly from: number
  /** …to before this one */
  readonly to: number
}

const meaning = {
  ingest: 'these events are neither learned nor labelled',
  scoring: 'these feature vectors get no label',
  'e-step': 'these feature vectors are not learned',
  updater: 'these statistics are made again from the feature vectors that are left',
} as const

/** `eddy skip-lost`: lets the stages go on past records that are stored no more. */
export function skipLostCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('skip-lost')
    .description(
      'Let stages go on past records that are gone before they could read them, and name what is lost. Nothing may be running on the log.',
    )
    .option('--dry-run', 'only name what is lost')
    .option('--json', 'one JSON object a stage and partition: from (included) and to (not included)')
    .action((flags: SkipFlags) => skipLost(flags, terminal))
  return withExamples(withLogOptions(command), [
    ['eddy skip-lost --dry-run', 'what would be lost'],
    ['eddy skip-lost', 'after a start that failed because the log begins later than a stage'],
  ])
}

async function skipLost(flags: SkipFlags, terminal: Terminal): Promise<void> {
  const configuration = configurationOf(flags, terminal)
  if (configuration.log.kind !== 'embedded')
    throw new LogError(
      'skip-lost: expected the embedded log, got Kafka. Start the services with --on-gap skip there: each names what it skips.',
    )
  const log = await openLog(configuration, { readOnly: flags.dryRun === true })
  try {
    const snapshot = await newestSnapshot({
      log,
      topic: configuration.topics.snapshots,
      model: configuration.model.name,
      onDamage: message => note(terminal, message),
    })
    const lost = await lostRecords(log, configuration, snapshot)
    for (const each of lost)
      await print(
        terminal,
        flags.json === true
          ? `${JSON.stringify(each)}\n`
          : `${each.stage}: offsets ${each.from} to ${each.to - 1} of ${each.topic}/${each.partition} are lost; ${meaning[each.stage]}\n`,
      )
    if (lost.length === 0) note(terminal, 'Nothing is lost: every stage can go on where it is.')
    else if (flags.dryRun !== true) await goOn(log, configuration, snapshot, lost)
  } finally {
    await log.close()
  }
}

async function lostRecords(
  log: EventLog,
  { topics, model }: Configuration,
  snapshot: Snapshot | undefined,
): Promise<Lost[]> {
  const ledger = ledgerOf(snapshot?.ledger ?? [])
  const ingested = await log.positions(topics.events, groupName({ model, topics }, 'ingest'))
  const scored = await log.positions(topics.features, groupName({ model, topics }, 'scoring'))
  const stages = [
    { stage: 'ingest', topic: topics.events, next: (partition: number) => ingested.get(partition) ?? 0 },
    { stage: 'scoring', topic: topics.features, next: (partition: number) => scored.get(partition) ?? 0 },
    { stage: 'e-step', topic: topics.features, next: (partition: number) => nextOffset(ledger, partition) },
    { stage: 'updater', topic: topics.statistics, next: () => snapshot?.statisticsOffset ?? 0 },
  ] as const
  const lost: Lost[] = []
  for (const { stage, topic, next } of stages)
    for (const { partition, start } of await log.offsets(topic))
      if (next(partition) < start) lost.push({ stage, topic, partition, from: next(partition), to: start })
  return lost
}

/** Positions move to where the log begins; so do the ledger and the place among the statistics, in a snapshot of the same model. */
async function goOn(
  log: EventLog,
  { topics, model, log: limits }: Configuration,
  snapshot: Snapshot | undefined,
  lost: readonly Lost[],
): Promise<void> {
  for (const { stage, topic, partition, to } of lost)
    if (stage === 'ingest' || stage === 'scoring')
      await log.publish([], {
        settles: { group: groupName({ model, topics }, stage), deliveries: [{ topic, partition, nextOffset: to }] },
      })
  if (snapshot === undefined) return
  const ledger = new Map(ledgerOf(snapshot.ledger))
  let { statisticsOffset } = snapshot
  for (const { stage, partition, to } of lost)
    if (stage === 'updater') statisticsOffset = to
    else if (stage === 'e-step') {
      const entry = ledger.get(partition) ?? { partition, next: 0, events: 0n, offsetsHash: 0n }
      ledger.set(partition, { ...entry, next: to, skipped: (entry.skipped ?? 0) + to - entry.next })
    }
  const next = { ...snapshot, version: snapshot.version + 1n, ledger: ledgerEntries(ledger), statisticsOffset }
  await log.publish([{ topic: topics.snapshots, records: snapshotRecords(next, limits.maxRecordBytes) }])
}
