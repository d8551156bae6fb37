import type { Command } from 'commander'
import { runProgram } from './command-line/run.ts'
import { processTerminal } from './command-line/terminal.ts'
import { createProgram } from './program.ts'

// In the order of the help.
const commands: readonly Command[] = []

process.stdout.on('error', error => {
  // `eddy … | head`: whoever read our output has seen enough.
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(0)
  throw error
})
process.exitCode = await runProgram(createProgram(commands), process.argv.slice(2), processTerminal)
