import { runProgram } from './command-line/run.ts'
import { processTerminal } from './command-line/terminal.ts'
import { commands } from './commands.ts'
import { createProgram } from './program.ts'

// Started by bin/eddy.cjs or npm start: whoever kills that one means us, even with kill -9.
if (process.channel !== undefined) {
  process.channel.unref()
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
}
process.stdout.on('error', error => {
  // `eddy … | head`: whoever read our output has seen enough.
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(0)
  throw error
})
const argv = process.argv.slice(2)
const wanted = Object.hasOwn(commands, argv[0] ?? '') ? [commands[argv[0]!]!] : Object.values(commands)
const program = createProgram(await Promise.all(wanted.map(load => load())))
process.exitCode = await runProgram(program, argv, processTerminal)
// What still holds the process, such as a client's connection to a broker that is silent, is not waited for.
setTimeout(() => process.exit(), 1_000).unref()
