import { newestSnapshot } from '@eddy/stepwise-em'
import { Command } from 'commander'
import { note, print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { InputError } from '../input/input-error.ts'
import { withExamples } from '../program.ts'
import { openLog } from '../stages/open-log.ts'
import { segmentTable } from '../up/segment-table.ts'
import { identityOf, snapshotJson } from '../up/snapshot-json.ts'
import { totals } from '../up/totals.ts'
import { configurationOf, type LogFlags, withLogOptions } from './log-options.ts'

interface InspectFlags extends LogFlags {
  readonly model?: string
  readonly json?: true
}

/** `eddy inspect`: the newest snapshot and its ledger, also while `eddy up` runs. */
export function inspectCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('inspect')
    .description('Show the newest snapshot and its ledger, also while `eddy up` runs.')
    .option('--model <name>', 'name of the model (default: the configured one, or the only one there is)')
    .option('--json', 'everything, bit for bit, as one JSON object')
    .action((flags: InspectFlags) => inspect(flags, terminal))
  return withExamples(withLogOptions(command), [
    ['eddy inspect', 'segments, ledger and totals'],
    ['eddy inspect --json | jq .ledger', 'what was learned of each partition'],
  ])
}

async function inspect(flags: InspectFlags, terminal: Terminal): Promise<void> {
  const configuration = configurationOf(flags, terminal)
  const log = await openLog(configuration, { readOnly: true })
  try {
    const snapshot = await newestSnapshot({
      log,
      topic: configuration.topics.snapshots,
      model: flags.model,
      onDamage: message => note(terminal, message),
    })
    if (snapshot === undefined) {
      const which = flags.model === undefined ? 'a snapshot' : `a snapshot of model ${flags.model}`
      throw new InputError(
        `${configuration.log.directory}: expected ${which}, got none. Is the model still warming up?`,
      )
    }
    if (flags.json === true) return await print(terminal, `${JSON.stringify(snapshotJson(snapshot))}\n`)
    const { events, labels, deadLetters } = await totals(log, configuration, snapshot)
    const ledger = snapshot.ledger.map(
      entry =>
        `  partition ${entry.partition}: learned ${entry.events} events, next offset ${entry.next}, offsets hash ${entry.offsetsHash.toString(16).padStart(16, '0')}`,
    )
    const lines = [
      `model ${snapshot.model}, snapshot ${snapshot.version}, step ${snapshot.step}, ${new Date(snapshot.createdAt).toISOString()}`,
      `${events} events, ${labels} labels, ${deadLetters} dead letters`,
      `prequential log-likelihood ${snapshot.prequentialLogLikelihood.toFixed(4)} nats/event, effective sample size ${Math.round(snapshot.effectiveSampleSize)}`,
      `identity ${identityOf(snapshot)}`,
      'ledger:',
      ...ledger,
    ]
    await print(terminal, `${lines.join('\n')}\n${await segmentTable(log, configuration, snapshot)}`)
  } finally {
    await log.close()
  }
}
