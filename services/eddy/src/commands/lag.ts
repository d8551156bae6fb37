import { ledgerOf, newestSnapshot, nextOffset } from '@eddy/model'
import { groupName, openLog } from '@eddy/settings'
import Table from 'cli-table3'
import { Command } from 'commander'
import { note, print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { configurationOf, type LogFlags, withLogOptions } from './log-options.ts'

interface LagFlags extends LogFlags {
  readonly json?: true
}

interface Lag {
  readonly stage: string
  readonly topic: string
  readonly partition: number
  readonly position: number
  readonly end: number
  readonly lag: number
}

/** `eddy lag`: how far each stage is behind, by partition. */
export function lagCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('lag')
    .description(
      'Show how many records each stage still has to do, by partition. The E-step is measured by the ledger.',
    )
    .option('--json', 'one JSON object a line')
    .action((flags: LagFlags) => lag(flags, terminal))
  return withExamples(withLogOptions(command), [
    ['eddy lag --config eddy.yaml --brokers localhost:9092', 'of a model on Kafka'],
  ])
}

async function lag(flags: LagFlags, terminal: Terminal): Promise<void> {
  const configuration = configurationOf(flags, terminal)
  const { topics, model } = configuration
  const log = await openLog(configuration, { readOnly: true })
  try {
    const rows: Lag[] = []
    const add = async (stage: string, topic: string, position: (partition: number) => number): Promise<void> => {
      for (const { partition, end } of await log.offsets(topic)) {
        rows.push({
          stage,
          topic,
          partition,
          position: position(partition),
          end,
          lag: Math.max(0, end - position(partition)),
        })
      }
    }
    for (const [stage, topic] of [
      ['ingest', topics.events],
      ['scoring', topics.features],
    ] as const) {
      const positions = await log.positions(topic, groupName(configuration, stage))
      await add(stage, topic, partition => positions.get(partition) ?? 0)
    }
    const snapshot = await newestSnapshot({
      log,
      topic: topics.snapshots,
      model: model.name,
      onDamage: message => note(terminal, message),
    })
    const ledger = ledgerOf(snapshot?.ledger ?? [])
    await add('e-step', topics.features, partition => nextOffset(ledger, partition))
    await add('updater', topics.statistics, () => snapshot?.statisticsOffset ?? 0)
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
