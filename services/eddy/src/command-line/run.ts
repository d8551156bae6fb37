import { type Command, CommanderError } from 'commander'
import { describeError, exitCode, exitCodeOf, InterruptedError } from './exit-code.ts'
import { note, type Terminal } from './terminal.ts'

/**
 * Runs a program and tells its exit code; never throws. What was thrown goes to stderr, with the stack only where the
 * message was not written for users (or with EDDY_DEBUG=1).
 * @param argv arguments without node and script
 */
export async function runProgram(program: Command, argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await program.parseAsync(argv, { from: 'user' })
    return exitCode.ok
  } catch (error) {
    const code = exitCodeOf(error)
    // The reader of stdout left (`eddy score … | head`): nothing is wrong.
    if ((error as NodeJS.ErrnoException)?.code === 'EPIPE') return exitCode.ok
    // Commander has shown its own errors.
    if (error instanceof CommanderError) return code
    if (error instanceof InterruptedError && error.message === '') return code
    note(terminal, describeError(error, terminal.environment.EDDY_DEBUG === '1'))
    if (code === exitCode.usage) note(terminal, 'Run `eddy --help` or `eddy COMMAND --help`.')
    return code
  }
}
