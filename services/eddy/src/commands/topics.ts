import { type EventLog, LogError, type TopicOptions, type TopicOutcome } from '@eddy/log'
import { InputError } from '@eddy/records'
import { counted } from '@eddy/runtime'
import { topicOptions, topicSettings } from '@eddy/settings'
import { Command } from 'commander'
import { wholeNumber } from '../command-line/arguments.ts'
import { note, print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { configurationOf, type LogFlags, withLogOptions } from './log-options.ts'
import { openCommandLog } from './open-command-log.ts'

interface TopicsFlags extends LogFlags {
  readonly json?: true
}

interface CreateFlags extends TopicsFlags {
  readonly alter?: true
  readonly dryRun?: true
  readonly replicationFactor?: number
}

/** `eddy topics create|check`: the topics a configuration needs. */
export function topicsCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('topics').description('Create or check the configured topics.')
  const create = new Command('create')
    .description(
      'Create missing topics with their partitions, compaction and retention; refuse existing ones that do not fit. What exists is not altered.',
    )
    .option('--alter', 'give existing topics the configured retention: a shorter one drops records')
    .option('--dry-run', 'only show what would be done')
    .option(
      '--replication-factor <n>',
      'copies of each partition of a new topic (default 3 where there are three brokers, else theirs); with 3, min.insync.replicas is 2',
      wholeNumber(1, 100),
    )
    .option(
      '--json',
      'one JSON object a topic: done (created, altered or kept), replicas, existing retention where it differs',
    )
    .action((flags: CreateFlags) => createTopics(flags, terminal))
  const check = new Command('check')
    .description('Show which topics exist and how many records they hold. Exit code 1 if one is missing.')
    .option('--json', 'one JSON object per line')
    .action((flags: TopicsFlags) => checkTopics(flags, terminal))
  for (const each of [create, check]) command.addCommand(withLogOptions(each))
  return withExamples(command, [
    ['eddy topics create --brokers localhost:9092 --config eddy.yaml', 'before the first start on a cluster'],
    ['eddy topics check --brokers localhost:9092', 'what is there'],
  ])
}

async function createTopics(flags: CreateFlags, terminal: Terminal): Promise<void> {
  const configuration = configurationOf(flags, terminal)
  const log = await openCommandLog(configuration, terminal)
  try {
    const topics = topicOptions(configuration)
    const outcomes = await log.ensureTopics(topics, {
      alter: flags.alter === true,
      dryRun: flags.dryRun === true,
      ...(configuration.log.kind === 'kafka' && { settings: topicSettings(configuration) }),
      ...(flags.replicationFactor !== undefined && { replicas: flags.replicationFactor }),
    })
    for (const outcome of outcomes)
      await print(
        terminal,
        flags.json === true
          ? `${JSON.stringify(outcome)}\n`
          : `${told(outcome, topics[outcome.topic]!, flags.dryRun === true)}\n`,
      )
    if (flags.alter !== true && outcomes.some(({ existing }) => existing !== undefined))
      note(terminal, 'Retentions differ from the configured ones and stay as they are; --alter applies those.')
  } finally {
    await log.close()
  }
}

function told({ topic, done, replicas, existing }: TopicOutcome, options: TopicOptions, dryRun: boolean): string {
  const { partitions, cleanup } = options
  const copies = replicas === undefined ? '' : `, ${counted(replicas, 'replica')}`
  const words = { created: 'create', altered: 'alter', kept: 'keep' }
  const verb = dryRun && done !== 'kept' ? `would ${words[done]}` : done
  const change =
    existing === undefined ? '' : `; its retention is ${retention(existing)}, configured is ${retention(options)}`
  return `${topic}: ${verb}, ${counted(partitions, 'partition')}${copies}, ${cleanup}${change}`
}

function retention({ retentionMs, retentionBytes }: Pick<TopicOptions, 'retentionMs' | 'retentionBytes'>): string {
  const limits = [
    ...(retentionMs === undefined ? [] : [counted(retentionMs / 3_600_000, 'hour')]),
    ...(retentionBytes === undefined ? [] : [counted(retentionBytes, 'byte')]),
  ]
  return limits.join(' and ') || 'without end'
}

async function checkTopics(flags: TopicsFlags, terminal: Terminal): Promise<void> {
  const configuration = configurationOf(flags, terminal)
  const log = await openCommandLog(configuration, terminal, { readOnly: true })
  const missing: string[] = []
  try {
    for (const [name, { partitions }] of Object.entries(topicOptions(configuration))) {
      const found = await partitionsOf(log, name)
      if (found === undefined || found.length !== partitions) missing.push(name)
      const records = found?.reduce((sum, { start, end }) => sum + end - start, 0)
      if (flags.json === true)
        await print(
          terminal,
          `${JSON.stringify({ topic: name, expected: partitions, partitions: found?.length ?? 0, records: records ?? 0 })}\n`,
        )
      else
        await print(
          terminal,
          `${name}: ${found === undefined ? 'missing' : `${counted(found.length, 'partition')}, ${counted(records!, 'offset')} in use`}\n`,
        )
    }
  } finally {
    await log.close()
  }
  if (missing.length > 0)
    throw new InputError(
      `topics: expected all with log.partitions partitions, got other ones or none for ${missing.join(', ')}. Run \`eddy topics create\`.`,
    )
}

async function partitionsOf(
  log: EventLog,
  name: string,
): ReturnType<EventLog['offsets']> extends Promise<infer P> ? Promise<P | undefined> : never {
  try {
    return await log.offsets(name)
  } catch (error) {
    if (error instanceof LogError && error.code === 'TOPIC_MISSING') return undefined
    throw error
  }
}
