import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { backUpLog, restoreLog } from '@eddy/log-embedded'
import { counted } from '@eddy/runtime'
import { Command } from 'commander'
import { note, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { configurationOf, type LogFlags, withLogOptions } from './log-options.ts'

/** What lies beside the log and is needed to go on. */
const besides = ['features.json']

/** `eddy backup DIRECTORY`: a consistent copy of the embedded log, while it is being written to. */
export function backupCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('backup')
    .description('Copy the embedded log as of one moment, even while `eddy up` runs.')
    .argument('<directory>', 'where the copy goes; must not hold a log')
    .action(async (to: string, flags: LogFlags) => {
      const { directory } = configurationOf(flags, terminal).log
      const bytes = await backUpLog(directory, to)
      copyBesides(directory, to)
      note(terminal, `Backed up ${directory} to ${to}: ${counted(bytes, 'byte')}, checked.`)
    })
  return withExamples(withLogOptions(command), [['eddy backup /backups/eddy-2026-11-25', 'copy what .eddy holds']])
}

/** `eddy restore DIRECTORY`: puts a backup where a log is to run. */
export function restoreCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('restore')
    .description('Restore a backup to a data directory that holds no log yet and that nothing is running on.')
    .argument('<directory>', 'a directory made by `eddy backup`')
    .action(async (from: string, flags: LogFlags) => {
      const { directory } = configurationOf(flags, terminal).log
      const bytes = await restoreLog(from, directory)
      copyBesides(from, directory)
      note(terminal, `Restored ${from} to ${directory}: ${counted(bytes, 'byte')}, checked.`)
    })
  return withExamples(withLogOptions(command), [
    ['mv .eddy .eddy-damaged && eddy restore /backups/eddy-2026-11-25', 'go on from a backup'],
  ])
}

function copyBesides(from: string, to: string): void {
  for (const name of besides) if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name))
}
