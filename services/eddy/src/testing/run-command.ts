import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Command } from 'commander'
import { runProgram } from '../command-line/run.ts'
import type { Terminal } from '../command-line/terminal.ts'
import { createProgram } from '../program.ts'

/** Runs one command in this process, as the shell would. */
export async function runCommand(
  create: (terminal: Terminal) => Command,
  argv: readonly string[],
  stdin: string | Uint8Array = '',
): Promise<{ stdout: string; stderr: string; code: number }> {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const terminal = { stdin: Readable.from([Buffer.from(stdin)]), stdout, stderr, environment: {} }
  const command = create(terminal)
  const output = [text(stdout), text(stderr)]
  const code = await runProgram(createProgram([command], terminal), [command.name(), ...argv], terminal)
  stdout.end()
  stderr.end()
  const [out, err] = await Promise.all(output)
  return { stdout: out!, stderr: err!, code }
}
