import { newestOfEachModel } from '@eddy/model'
import { Command } from 'commander'
import { table } from '../command-line/table.ts'
import { note, print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { stageLags } from '../stage-lags.ts'
import { configurationOf, type LogFlags, withLogOptions } from './log-options.ts'
import { openCommandLog } from './open-command-log.ts'

interface LagFlags extends LogFlags {
  readonly json?: true
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
  const log = await openCommandLog(configuration, terminal, { readOnly: true })
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
    const rows = await stageLags(log, configuration, snapshot)
    if (flags.json === true) await print(terminal, rows.map(row => `${JSON.stringify(row)}\n`).join(''))
    else {
      const cells = rows.map(({ stage, topic, partition, position, end, lag: behind }) =>
        [stage, topic, partition, position, end, behind].map(String),
      )
      await print(
        terminal,
        `${table(['stage', 'topic', 'partition', 'position', 'end', 'lag'], cells)}
`,
      )
    }
  } finally {
    await log.close()
  }
}
