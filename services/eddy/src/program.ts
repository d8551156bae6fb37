import { readFileSync } from 'node:fs'
import { Command, type Option } from 'commander'
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
    blameMistyped(command)
  }
  return program
}

/** What Commander calls where it refuses; its types do not tell of it. */
interface Refusing {
  missingMandatoryOptionValue(option: Option): void
  unknownOption(flag: string): void
}

/** Where a required option is missing since its name was mistyped, the mistyped one is named, with the nearest that there is. */
function blameMistyped(command: Command): void {
  const refusing = command as unknown as Refusing
  const missing = refusing.missingMandatoryOptionValue.bind(command)
  refusing.missingMandatoryOptionValue = option => {
    // What parsing did not know stays among the arguments.
    const mistyped = command.args.find(argument => argument.startsWith('--') && argument !== '--')
    if (mistyped === undefined) missing(option)
    else refusing.unknownOption(mistyped.replace(/=.*/s, ''))
  }
}

/** Adds examples, shown before everything else in the help. */
export function withExamples(command: Command, examples: readonly (readonly [string, string])[]): Command {
  const lines = examples.map(([line, meaning]) => `  ${line}\n      ${meaning}`).join('\n')
  return command.addHelpText('before', `Examples:\n${lines}\n`)
}
