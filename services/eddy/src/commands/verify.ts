import { LogError } from '@eddy/log'
import { verifyLog } from '@eddy/log-embedded'
import { counted } from '@eddy/runtime'
import { Command } from 'commander'
import { table } from '../command-line/table.ts'
import { note, print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { configurationOf, type LogFlags, withLogOptions } from './log-options.ts'

interface VerifyFlags extends LogFlags {
  readonly json?: true
}

/** `eddy verify`: whether the embedded log holds what was written to it. */
export function verifyCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('verify')
    .description(
      'Read the whole embedded log and check it against its checksums, even while `eddy up` runs. Exit code 1 if anything is damaged or missing.',
    )
    .option('--json', 'one JSON object a partition: what it holds')
    .action((flags: VerifyFlags) => verify(flags, terminal))
  return withExamples(withLogOptions(command), [
    ['eddy verify', 'what .eddy holds'],
    ['eddy verify --data-dir /backups/eddy-2026-11-25', 'what a backup holds'],
  ])
}

async function verify(flags: VerifyFlags, terminal: Terminal): Promise<void> {
  const { log } = configurationOf(flags, terminal)
  if (log.kind !== 'embedded')
    throw new LogError(
      "verify: expected the embedded log, got Kafka, whose brokers check what they hold. Look at the brokers' logs.",
    )
  const partitions = await verifyLog(log.directory)
  if (flags.json === true)
    for (const { number, next, ...rest } of partitions)
      await print(terminal, `${JSON.stringify({ ...rest, partition: number, end: next })}\n`)
  else {
    const rows = partitions.map(({ topic, number, start, next, batches, records }) =>
      [topic, number, start, next, records, batches].map(String),
    )
    await print(terminal, `${table(['topic', 'partition', 'start', 'end', 'records', 'batches'], rows)}\n`)
  }
  const records = partitions.reduce((sum, partition) => sum + partition.records, 0)
  note(terminal, `${log.directory}: ${counted(records, 'record')}, all as written.`)
}
