import { type Dropped, LogError } from '@eddy/log'
import { type EmbeddedLog, openEmbeddedLog } from '@eddy/log-embedded'
import { newestSnapshot } from '@eddy/model'
import { counted, StageNeeds } from '@eddy/runtime'
import { groupName, topicOptions } from '@eddy/settings'
import { Command } from 'commander'
import { note, print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { configurationOf, type LogFlags, withLogOptions } from './log-options.ts'

interface CompactFlags extends LogFlags {
  readonly retentionHours?: number
  readonly json?: true
}

/** `eddy compact`: drops what retention allows, also on a full disk. */
export function compactCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('compact')
    .description(
      'Drop now what retention and compaction allow, and shrink the file if there is room to rewrite it. Works on a full disk. Nothing may be running on the log.',
    )
    .option(
      '--retention-hours <n>',
      'keep this many hours (default: as configured); what a stage has yet to read stays',
      Number,
    )
    .option('--json', 'print {"dropped": [{topic, partition, from, to, bytes}, …], "rewritten": true or false}')
    .action((flags: CompactFlags) => compact(flags, terminal))
  return withExamples(withLogOptions(command), [
    ['eddy compact --config eddy.yaml', 'drop what the configured retention allows'],
    ['eddy compact --retention-hours 24', 'drop what is older than a day'],
  ])
}

async function compact(flags: CompactFlags, terminal: Terminal): Promise<void> {
  const configuration = configurationOf(flags, terminal, { 'log.retentionHours': flags.retentionHours })
  const { log: settings, topics, model } = configuration
  if (settings.kind !== 'embedded')
    throw new LogError('compact: expected the embedded log, got Kafka, whose brokers do it themselves.')
  const needs = new StageNeeds({ topics, groupOf: stage => groupName(configuration, stage) })
  const dropped: Dropped[] = []
  const log = openEmbeddedLog(settings.directory, { needed: needs.of })
  log.capabilities.upkeep.subscribe(each => {
    if (each.kind !== 'dropped') return
    const { kind: _, ...told } = each
    const { topic, partition, from, to } = told
    dropped.push(told)
    note(terminal, `${topic}/${partition}: dropped offsets ${from} to ${to - 1}`)
  })
  try {
    const snapshot = await newestSnapshot({ log, topic: topics.snapshots, model: model.name })
    if (snapshot !== undefined) needs.published(snapshot)
    await needs.look(log, snapshot)
    await log.ensureTopics(topicOptions(configuration), { alter: true })
    await log.maintain()
    const bytes = dropped.reduce((sum, each) => sum + each.bytes, 0)
    note(terminal, `Dropped ${counted(bytes, 'byte')}, whose pages are free for what comes.`)
    const rewritten = await rewrite(log)
    note(
      terminal,
      rewritten
        ? 'The file has been rewritten: its free pages are given back.'
        : 'There is no room to rewrite the file: it keeps its size, and new events take its free pages. For more room lower --retention-hours.',
    )
    if (flags.json === true) await print(terminal, `${JSON.stringify({ dropped, rewritten })}\n`)
  } finally {
    await log.close()
  }
}

/** Shrinks the file. @returns whether there was room for it */
async function rewrite(log: EmbeddedLog): Promise<boolean> {
  try {
    await log.shrink()
    return true
  } catch (error) {
    if (!(error instanceof LogError) || error.code !== 'FULL') throw error
    return false
  }
}
