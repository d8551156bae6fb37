import { eventRecord } from '@eddy/ingest'
import type { OutgoingRecord } from '@eddy/log'
import { readEventLines } from '@eddy/records'
import { counted } from '@eddy/runtime'
import { customerIds, topicOptions } from '@eddy/settings'
import { Command } from 'commander'
import { Refusals } from '../command-line/refusals.ts'
import { note, print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { refuseChangedForm } from '../refuse-changed-form.ts'
import { configurationOf, type LogFlags, topicName, withLogOptions } from './log-options.ts'
import { openCommandLog } from './open-command-log.ts'

interface ProduceFlags extends LogFlags {
  readonly topic: string
  readonly input: string
  readonly key?: string
  readonly skipInvalid?: true
  readonly json?: true
}

/** `eddy produce`: appends a file's events to a topic. */
export function produceCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('produce')
    .description('Append the events of a file to a topic.')
    .requiredOption('--topic <topic>', 'its name, or its role: events')
    .requiredOption('--input <file>', 'NDJSON, CSV (`-` is standard input), Parquet or a JSON array')
    .option('--key <name>', 'name of the value that identifies the customer (default customer)')
    .option(
      '--skip-invalid',
      'leave out rows with too few or too many cells, and what is no JSON object with a customer',
    )
    .option('--json', 'print {"appended": n} on stdout')
    .action((flags: ProduceFlags) => produce(flags, terminal))
  return withExamples(withLogOptions(command), [
    ['eddy produce --topic events --input purchases.csv --key customer_id', 'append the rows of a CSV file as events'],
    ['zcat events.ndjson.gz | eddy produce --topic events --input -', 'append what another program writes'],
  ])
}

async function produce(flags: ProduceFlags, terminal: Terminal): Promise<void> {
  const configuration = configurationOf(flags, terminal)
  const log = await openCommandLog(configuration, terminal)
  try {
    // On a cluster, a producer need not have the right to look at every topic: `eddy topics create` makes them.
    if (configuration.log.kind === 'embedded') {
      if (configuration.features !== undefined) await refuseChangedForm(log, configuration, configuration.features)
      await log.ensureTopics(topicOptions(configuration))
    }
    const topic = topicName(configuration, flags.topic)
    const ids = customerIds(configuration)
    let appended = 0
    const types = new Map(configuration.features?.map(({ name, type }) => [name, type]))
    const refusals = new Refusals(terminal, flags.skipInvalid === true ? 'skipped' : 'ingest will quarantine')
    for await (const lines of readEventLines(flags.input, { key: flags.key, types, stdin: terminal.stdin })) {
      const records: OutgoingRecord[] = []
      for (const { value, line, problem } of lines) {
        const record = eventRecord(value, ids)
        // Without a key it has no customer, and ingest will refuse it.
        if (record.key === null) {
          const why =
            problem?.message ??
            `${flags.input === '-' ? 'standard input' : flags.input}:${line}: expected a JSON object with a customer.`
          refusals.tell(why)
          if (flags.skipInvalid === true) continue
        }
        records.push(record)
      }
      await log.publish([{ topic, records }])
      appended += records.length
    }
    refusals.end()
    if (flags.json === true) await print(terminal, `${JSON.stringify({ topic, appended })}\n`)
    else note(terminal, `Appended ${counted(appended, 'event')} to ${topic}.`)
  } finally {
    await log.close()
  }
}
