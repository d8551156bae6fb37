import type { Command } from 'commander'
import { runProgram } from './command-line/run.ts'
import { processTerminal } from './command-line/terminal.ts'
import { createProgram } from './program.ts'

/** Every command, in the order of the help. Only the one that is asked for is loaded. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  up: async () => (await import('./commands/up.ts')).upCommand(),
  produce: async () => (await import('./commands/produce.ts')).produceCommand(),
  tail: async () => (await import('./commands/tail.ts')).tailCommand(),
  inspect: async () => (await import('./commands/inspect.ts')).inspectCommand(),
  ingest: async () => (await import('./commands/service.ts')).serviceCommand('ingest'),
  'em-worker': async () => (await import('./commands/service.ts')).serviceCommand('em-worker'),
  'em-updater': async () => (await import('./commands/service.ts')).serviceCommand('em-updater'),
  scoring: async () => (await import('./commands/service.ts')).serviceCommand('scoring'),
  topics: async () => (await import('./commands/topics.ts')).topicsCommand(),
  schema: async () => (await import('./commands/schema.ts')).schemaCommand(),
  lag: async () => (await import('./commands/lag.ts')).lagCommand(),
  'dead-letters': async () => (await import('./commands/dead-letters.ts')).deadLettersCommand(),
  models: async () => (await import('./commands/models.ts')).modelsCommand(),
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand(),
  top: async () => (await import('./commands/top.ts')).topCommand(),
  forget: async () => (await import('./commands/forget.ts')).forgetCommand(),
  backup: async () => (await import('./commands/backup.ts')).backupCommand(),
  restore: async () => (await import('./commands/backup.ts')).restoreCommand(),
  compact: async () => (await import('./commands/compact.ts')).compactCommand(),
  verify: async () => (await import('./commands/verify.ts')).verifyCommand(),
  'skip-lost': async () => (await import('./commands/skip-lost.ts')).skipLostCommand(),
  validate: async () => (await import('./commands/validate.ts')).validateCommand(),
  fit: async () => (await import('./commands/fit.ts')).fitCommand(),
  score: async () => (await import('./commands/score.ts')).scoreCommand(),
  explain: async () => (await import('./commands/explain.ts')).explainCommand(),
  evaluate: async () => (await import('./commands/evaluate.ts')).evaluateCommand(),
  select: async () => (await import('./commands/select.ts')).selectCommand(),
  classify: async () => (await import('./commands/classify.ts')).classifyCommand(),
}

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
