import { type Role, roles } from '@eddy/settings'
import { Command, Option } from 'commander'
import { print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { examine, type Finding } from '../doctor/checks.ts'
import { withExamples } from '../program.ts'
import { configurationOf, type LogFlags, withLogOptions } from './log-options.ts'

interface DoctorFlags extends LogFlags {
  readonly for?: Role
  readonly json?: true
}

const marks: Readonly<Record<Finding['status'], string>> = { ok: 'ok  ', warning: 'warn', failure: 'FAIL' }

/** `eddy doctor`: can Eddy run here, and if not, what is to be done? */
export function doctorCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('doctor')
    .description(
      'Check this machine and the configuration, and say what to do. Exit code 1 if something must be fixed.',
    )
    .addOption(
      new Option(
        '--for <role>',
        'on Kafka: whether this principal has the rights of a service, or of another role',
      ).choices(roles),
    )
    .option('--json', 'one JSON object per check')
    .action((flags: DoctorFlags) => doctor(flags, terminal))
  return withExamples(withLogOptions(command), [
    ['eddy doctor --config eddy.yaml', 'before the first start'],
    ['eddy doctor --config eddy.yaml --for scoring', 'with the credentials of `eddy scoring`: what it still lacks'],
    ['eddy doctor --json | jq "select(.status != \\"ok\\")"', 'what is not well'],
  ])
}

async function doctor(flags: DoctorFlags, terminal: Terminal): Promise<void> {
  const findings = await examine(configurationOf(flags, terminal), flags.for)
  for (const finding of findings) {
    const { check, status, found, advice } = finding
    if (flags.json === true) await print(terminal, `${JSON.stringify(finding)}\n`)
    else
      await print(
        terminal,
        `${marks[status]}  ${check.padEnd(10)} ${found}\n${advice === undefined ? '' : `      → ${advice}\n`}`,
      )
  }
  const failed = findings.filter(({ status }) => status === 'failure')
  if (failed.length > 0)
    throw new DoctorError(
      `doctor: ${failed.length} of ${findings.length} checks failed: ${failed.map(({ check }) => check).join(', ')}`,
    )
}

/** Something must be mended; what it is has been printed. */
class DoctorError extends Error {
  // Shown without a stack, as errors written for users are.
  override readonly name = 'InputError'
}
