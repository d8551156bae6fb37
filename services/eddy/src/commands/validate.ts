import { ConfigurationError, environmentVariables, jsonSchema, loadConfiguration, redactedJson } from '@eddy/runtime'
import { type Configuration, configurationSchema } from '@eddy/settings'
import { Command } from 'commander'
import { UsageError } from '../command-line/exit-code.ts'
import { table } from '../command-line/table.ts'
import { note, print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { impliedByBrokers } from './log-options.ts'

interface ValidateFlags {
  readonly config?: string
  readonly print?: boolean
  readonly schema?: boolean
  readonly variables?: boolean
  readonly json?: true
}

/** `eddy validate`: every mistake of a configuration at once, each with its path and source. Exit code 78 if there is one. */
export function validateCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('validate')
    .description('check a configuration (file, environment, defaults) and report every mistake at once')
    .option('--config <file>', 'YAML or JSON; the environment and the defaults alone if absent')
    .option('--print', 'print the configuration in force as JSON, secrets redacted')
    .option('--schema', 'print the JSON Schema of a configuration instead, for editors')
    .option('--variables', 'print the environment variables and the paths they set instead')
    .option(
      '--json',
      'print {"valid": true or false, "problems": [text, …]}; with --variables [{"variable", "path"}, …]; the others are JSON anyway',
    )
    .action((flags: ValidateFlags) => validate(terminal, flags))
  return withExamples(command, [
    ['eddy validate --config eddy.yaml', 'exit code 0, or 78 with every mistake'],
    ['EDDY_MODEL_COMPONENTS=4 eddy validate --config eddy.yaml --print | jq .model', 'what would be in force'],
    ['eddy validate --schema > eddy.schema.json', 'completion in an editor'],
  ])
}

async function validate(terminal: Terminal, flags: ValidateFlags): Promise<void> {
  if (Number(flags.print === true) + Number(flags.schema === true) + Number(flags.variables === true) > 1) {
    throw new UsageError('validate: expected one of --print, --schema and --variables, got several.')
  }
  if (flags.schema) {
    await print(terminal, JSON.stringify(jsonSchema(configurationSchema), null, 2) + '\n')
    return
  }
  if (flags.variables) {
    const variables = environmentVariables(configurationSchema)
    const rows = variables.map(({ variable, path }) => [variable, path])
    await print(terminal, `${flags.json === true ? JSON.stringify(variables) : table(['variable', 'path'], rows)}\n`)
    return
  }
  const configuration = await loaded(flags, terminal)
  if (flags.print === true) await print(terminal, `${redactedJson(configuration)}\n`)
  else if (flags.json === true) await printVerdict(terminal, [])
  else note(terminal, `${flags.config ?? 'configuration'}: valid`)
}

/** @throws {ConfigurationError} with all problems; `--json` prints them too */
async function loaded(flags: ValidateFlags, terminal: Terminal): Promise<Configuration> {
  try {
    return loadConfiguration(configurationSchema, {
      implied: impliedByBrokers,
      ...(flags.config === undefined ? {} : { file: flags.config }),
      environment: terminal.environment,
    })
  } catch (error) {
    if (flags.json === true && flags.print !== true && error instanceof ConfigurationError)
      await printVerdict(terminal, error.problems)
    throw error
  }
}

const printVerdict = (terminal: Terminal, problems: readonly string[]): Promise<void> =>
  print(terminal, `${JSON.stringify({ valid: problems.length === 0, problems })}\n`)
