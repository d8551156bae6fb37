import { RegistryError } from '@eddy/messages'
import { codecsOf, registryOf, subjectOf } from '@eddy/settings'
import { Command } from 'commander'
import { UsageError } from '../command-line/exit-code.ts'
import { table } from '../command-line/table.ts'
import { print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { configurationOf } from './log-options.ts'

interface CheckFlags {
  readonly config?: string
  readonly json?: true
}

/** `eddy schema check`: the built-in schemas against a registry. Writes nothing. */
export function schemaCommand(terminal: Terminal = processTerminal): Command {
  const check = new Command('check')
    .description('Compare the built-in schemas with the registry: registered, new or incompatible. Writes nothing.')
    .option('--config <file>', 'configuration (YAML); see `eddy validate`')
    .option('--json', 'print one JSON array')
    .action((flags: CheckFlags) => checkSchemas(flags, terminal))
  withExamples(check, [
    ['EDDY_REGISTRY_URL=http://registry:8081 eddy schema check', 'exit code 1 if one is incompatible'],
  ])
  return new Command('schema').description('Schemas and the schema registry.').addCommand(check)
}

async function checkSchemas(flags: CheckFlags, terminal: Terminal): Promise<void> {
  const configuration = configurationOf(flags, terminal)
  const registry = registryOf(configuration)
  if (registry === undefined) {
    throw new UsageError('schema check: expected registry.url, got none. Set it in the file or EDDY_REGISTRY_URL.')
  }
  const rows: { subject: string; state: string; id: number | null; why: readonly string[] }[] = []
  for (const [topic, { schema }] of codecsOf(configuration.topics)) {
    const subject = subjectOf(topic)
    const id = await registry.lookup(subject, schema)
    const why = id === undefined ? await registry.incompatibilities(subject, schema) : []
    const state = id !== undefined ? 'registered' : why.length > 0 ? 'incompatible' : 'new'
    rows.push({ subject, state, id: id ?? null, why })
  }
  if (flags.json === true) await print(terminal, `${JSON.stringify(rows)}\n`)
  else {
    const cells = rows.map(({ subject, state, id, why }) => [subject, state, String(id ?? ''), why.join('; ')])
    await print(terminal, `${table(['subject', 'state', 'id', 'why'], cells)}\n`)
  }
  const incompatible = rows.filter(({ state }) => state === 'incompatible')
  if (incompatible.length > 0) {
    throw new RegistryError(
      `schema check: expected compatible schemas, got ${incompatible.length} incompatible (${incompatible.map(({ subject }) => subject).join(', ')}). Use other topic names, or mend the subjects' versions.`,
    )
  }
}
