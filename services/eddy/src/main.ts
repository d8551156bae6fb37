import { runProgram } from './command-line/run.ts'
import { processTerminal } from './command-line/terminal.ts'
import { classifyCommand } from './commands/classify.ts'
import { evaluateCommand } from './commands/evaluate.ts'
import { explainCommand } from './commands/explain.ts'
import { fitCommand } from './commands/fit.ts'
import { inspectCommand } from './commands/inspect.ts'
import { produceCommand } from './commands/produce.ts'
import { scoreCommand } from './commands/score.ts'
import { selectCommand } from './commands/select.ts'
import { tailCommand } from './commands/tail.ts'
import { upCommand } from './commands/up.ts'
import { createProgram } from './program.ts'

// In the order of the help.
const commands = [
  upCommand(),
  produceCommand(),
  tailCommand(),
  inspectCommand(),
  fitCommand(),
  scoreCommand(),
  explainCommand(),
  evaluateCommand(),
  selectCommand(),
  classifyCommand(),
]

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
process.exitCode = await runProgram(createProgram(commands), process.argv.slice(2), processTerminal)
