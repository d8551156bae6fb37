import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { processTerminal, type Terminal } from './command-line/terminal.ts'

/** Version of the installed package. */
export const version: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version

/**
 * The `eddy` program with its commands. Help goes to stdout, errors to stderr; Commander throws instead of exiting.
 * @param commands in the order in which help lists them
 */
export function createProgram(commands: readonly Command[], terminal: Terminal = processTerminal): Command {
  const program = new Command('eddy')
    .description('Living customer segments by stepwise EM on an event stream.')
    .version(version, '-V, --version', 'print the version')
    .helpCommand('help [command]', 'show the help of a command')
  for (const command of commands) program.addCommand(command)
  for (const command of [program, ...commands, ...commands.flatMap(each => each.commands)]) {
    command
      .exitOverride()
      .configureOutput({
        writeOut: text => void terminal.stdout.write(text),
        writeErr: text => void terminal.stderr.write(text),
        outputError: (text, write) =>
          write(`eddy: ${text.replace(/^error: /, '')}Run \`eddy --help\` or \`eddy COMMAND --help\`.\n`),
      })
      .showSuggestionAfterError()
  }
  return program
}

/** Adds examples, shown before everything else in the help. */
export function withExamples(command: Command, examples: readonly (readonly [string, string])[]): Command {
  const lines = examples.map(([line, meaning]) => `  ${line}\n      ${meaning}`).join('\n')
  return command.addHelpText('before', `Examples:\n${lines}\n`)
}
