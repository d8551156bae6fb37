import { newestOfEachModel } from '@eddy/model'
import { committedPosition, lagOf, learnedPosition, type PartitionLag, type Position } from '@eddy/runtime'
import { groupName, openLog } from '@eddy/settings'
import Table from 'cli-table3'
import { Command } from 'commander'
import { note, print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { configurationOf, type LogFlags, withLogOptions } from './log-options.ts'

interface LagFlags extends LogFlags {
  readonly json?: true
}

interface StageLag extends PartitionLag {
  readonly stage: string
  readonly topic: string
}

/** `eddy lag`: how far each stage is behind, by partition. */
export function lagCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('lag')
    .description(
      'Show how many records each stage still has to process, by partition. The E-step is measured by the ledger.',
    )
    .option('--json', 'one JSON object per line')
    .action((flags: LagFlags) => lag(flags, terminal))
  return withExamples(withLogOptions(command), [
    ['eddy lag --config eddy.yaml --brokers localhost:9092', 'for a model on Kafka'],
  ])
}

async function lag(flags: LagFlags, terminal: Terminal): Promise<void> {
  const configuration = configurationOf(flags, terminal)
  const { topics, model } = configuration
  const log = await openLog(configuration, { readOnly: true })
  try {
    const stored = await newestOfEachModel({
      log,
      topic: topics.snapshots,
      onDamage: message => note(terminal, message),
    })
    const snapshot = stored.find(each => each.model === model.name)
    if (snapshot === undefined && stored.length > 0)
      note(
        terminal,
        `model.name: expected one of ${stored.map(each => each.model).join(', ')}, got ${model.name}, which has learned nothing yet.`,
      )
    const committed = (stage: string, topic: string): Promise<Position> =>
      committedPosition(log, topic, groupName(configuration, stage))
    const rows: StageLag[] = []
    for (const [stage, topic, position] of [
      ['ingest', topics.events, await committed('ingest', topics.events)],
      ['scoring', topics.features, await committed('scoring', topics.features)],
      ['e-step', topics.features, learnedPosition(snapshot)],
      ['updater', topics.statistics, () => snapshot?.statisticsOffset ?? 0],
    ] as const)
      for (const row of await lagOf(log, topic, position)) rows.push({ stage, topic, ...row })
    if (flags.json === true) await print(terminal, rows.map(row => `${JSON.stringify(row)}\n`).join(''))
    else {
      const table = new Table({
        head: ['stage', 'topic', 'partition', 'position', 'end', 'lag'],
        style: { head: [], border: [] },
      })
      for (const { stage, topic, partition, position, end, lag: behind } of rows)
        table.push([stage, topic, partition, position, end, behind])
      await print(terminal, `${table.toString()}\n`)
    }
  } finally {
    await log.close()
  }
}
