import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { backUpLog, restoreLog } from '@eddy/log-embedded'
import { counted } from '@eddy/runtime'
import { Command } from 'commander'
import { note, print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { KEPT_FORM } from './kept-form.ts'
import { configurationOf, type LogFlags, withLogOptions } from './log-options.ts'

/** What lies beside the log and is needed to go on. */
const besides = ['features.json', KEPT_FORM]

interface BackupFlags extends LogFlags {
  readonly json?: true
}

/** `eddy backup DIRECTORY`: a consistent copy of the embedded log, while it is being written to. */
export function backupCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('backup')
    .description('Copy the embedded log as of one moment, even while `eddy up` runs.')
    .argument('<directory>', 'where the copy goes; must not hold a log')
    .option('--json', 'print {"from": directory, "to": directory, "bytes": n}')
    .action(async (to: string, flags: BackupFlags) => {
      const { directory } = configurationOf(flags, terminal).log
      const bytes = await backUpLog(directory, to)
      copyBesides(directory, to)
      await tell(terminal, flags, { from: directory, to, bytes }, 'Backed up')
    })
  return withExamples(withLogOptions(command), [['eddy backup /backups/eddy-2026-11-25', 'copy what .eddy holds']])
}

/** `eddy restore DIRECTORY`: puts a backup where a log is to run. */
export function restoreCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('restore')
    .description('Restore a backup to a data directory that holds no log yet and that nothing is running on.')
    .argument('<directory>', 'a directory made by `eddy backup`')
    .option('--json', 'print {"from": directory, "to": directory, "bytes": n}')
    .action(async (from: string, flags: BackupFlags) => {
      const { directory } = configurationOf(flags, terminal).log
      const bytes = await restoreLog(from, directory)
      copyBesides(from, directory)
      await tell(terminal, flags, { from, to: directory, bytes }, 'Restored')
    })
  return withExamples(withLogOptions(command), [
    ['mv .eddy .eddy-damaged && eddy restore /backups/eddy-2026-11-25', 'go on from a backup'],
  ])
}

function copyBesides(from: string, to: string): void {
  for (const name of besides) if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name))
}

async function tell(
  terminal: Terminal,
  { json }: BackupFlags,
  copied: { readonly from: string; readonly to: string; readonly bytes: number },
  verb: string,
): Promise<void> {
  const { from, to, bytes } = copied
  if (json === true) await print(terminal, `${JSON.stringify(copied)}\n`)
  else note(terminal, `${verb} ${from} to ${to}: ${counted(bytes, 'byte')}, checked.`)
}
