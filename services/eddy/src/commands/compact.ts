import { LogError } from '@eddy/log'
import { type EmbeddedLog, openEmbeddedLog } from '@eddy/log-embedded'
import { newestSnapshot } from '@eddy/model'
import { counted, StageNeeds } from '@eddy/runtime'
import { groupName, topicOptions } from '@eddy/settings'
import { Command } from 'commander'
import { note, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { configurationOf, type LogFlags, withLogOptions } from './log-options.ts'

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
    .action((flags: LogFlags & { retentionHours?: number }) => compact(flags, terminal))
  return withExamples(withLogOptions(command), [
    ['eddy compact --config eddy.yaml', 'drop what the configured retention allows'],
    ['eddy compact --retention-hours 24', 'drop what is older than a day'],
  ])
}

async function compact(flags: LogFlags & { retentionHours?: number }, terminal: Terminal): Promise<void> {
  const configuration = configurationOf(flags, terminal, { 'log.retentionHours': flags.retentionHours })
  const { log: settings, topics, model } = configuration
  if (settings.kind !== 'embedded')
    throw new LogError('compact: expected the embedded log, got Kafka, whose brokers do it themselves.')
  const needs = new StageNeeds({ topics, groupOf: stage => groupName(configuration, stage) })
  let dropped = 0
  const log = openEmbeddedLog(settings.directory, {
    needed: needs.of,
    onDropped: ({ topic, partition, from, to, bytes }) => {
      dropped += bytes
      note(terminal, `${topic}/${partition}: dropped offsets ${from} to ${to - 1}`)
    },
  })
  try {
    const snapshot = await newestSnapshot({ log, topic: topics.snapshots, model: model.name })
    if (snapshot !== undefined) needs.published(snapshot)
    await needs.look(log, snapshot)
    await log.ensureTopics(topicOptions(configuration))
    await log.maintain()
    note(terminal, `Dropped ${counted(dropped, 'byte')}, whose pages are free for what comes.`)
    note(terminal, await rewrite(log))
  } finally {
    await log.close()
  }
}

/** Shrinks the file where there is room for it; says how that went. */
async function rewrite(log: EmbeddedLog): Promise<string> {
  try {
    await log.capabilities.erasure?.scrub()
    return 'The file has been rewritten: its free pages are given back.'
  } catch (error) {
    if (!(error instanceof LogError) || error.code !== 'FULL') throw error
    return 'There is no room to rewrite the file: it keeps its size, and new events take its free pages. For more room lower --retention-hours.'
  }
}
