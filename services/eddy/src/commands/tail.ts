import { asyncValues, type From, type StoredRecord, sameLog } from '@eddy/log'
import { valueJson } from '@eddy/model'
import { shutdownSignal } from '@eddy/runtime'
import { Command, InvalidArgumentError } from 'commander'
import { InterruptedError } from '../command-line/exit-code.ts'
import { print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { configurationOf, type LogFlags, topicName, withLogOptions } from './log-options.ts'
import { openCommandLog } from './open-command-log.ts'

interface TailFlags extends LogFlags {
  readonly topic: string
  readonly from: string
  readonly log?: string
  readonly follow: boolean
  readonly limit?: number
  readonly json?: true
}

/** `eddy tail`: prints the records of a topic, also while `eddy up` runs. */
export function tailCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('tail')
    .description('Print the records of a topic as they arrive, even while `eddy up` runs.')
    .requiredOption(
      '--topic <topic>',
      'its name, or its role: events, features, labels, deadLetters, lineage, statistics, snapshots',
    )
    .option('--from <where>', 'earliest, latest, or an offset', from, 'latest')
    .option('--log <id>', 'the log that the offset is of (in --json): another one is refused, as after `eddy restore`')
    .option('--no-follow', 'end at the end of the topic')
    .option('--limit <n>', 'end after this many records', limit)
    .option('--json', 'one JSON object per line: log, topic, partition, offset, timestamp, key, headers, value')
    .action((flags: TailFlags) => tail(flags, terminal))
  return withExamples(withLogOptions(command), [
    ['eddy tail --topic labels', 'labels as they are made'],
    ['eddy tail --topic deadLetters --from earliest --no-follow --json', 'every event that was refused, and why'],
  ])
}

async function tail(flags: TailFlags, terminal: Terminal): Promise<void> {
  const configuration = configurationOf(flags, terminal)
  const log = await openCommandLog(configuration, terminal, { readOnly: true })
  const shutdown = shutdownSignal()
  try {
    if (flags.log !== undefined) await sameLog(log, flags.log)
    const id = flags.json ? await log.capabilities.identity?.() : undefined
    const topic = topicName(configuration, flags.topic)
    const begin = await startOf(flags.from, async () => (await log.offsets(topic)).map(({ partition }) => partition))
    let left = flags.limit ?? Number.POSITIVE_INFINITY
    for await (const delivery of asyncValues(
      log.consume(topic, { from: begin, untilEnd: !flags.follow, signal: shutdown.signal }),
    )) {
      const records = delivery.records.slice(0, left)
      left -= records.length
      await print(
        terminal,
        records
          .map(record => line(record, { partition: delivery.partition, topic, log: id }, flags.json === true))
          .join(''),
      )
      delivery.ack()
      if (left <= 0 || shutdown.signal.aborted) break
    }
    if (shutdown.received() === 'SIGINT') throw new InterruptedError('SIGINT', 'interrupted')
  } finally {
    await log.close()
    shutdown.dispose()
  }
}

interface Place {
  /** its id, where it has one */
  readonly log: string | undefined
  readonly topic: string
  readonly partition: number
}

function line(record: StoredRecord, place: Place, json: boolean): string {
  const { offset, key, headers, timestamp } = record
  const value = valueJson(record)
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')
  if (!json) return `${place.partition}/${offset}  ${JSON.stringify(value)}\n`
  const named = Object.fromEntries(Object.entries(headers).map(([name, bytes]) => [name, text(bytes)]))
  return `${JSON.stringify({ ...place, offset, timestamp, key: key === null ? null : text(key), headers: named, value })}\n`
}

async function startOf(text: string, partitions: () => Promise<readonly number[]>): Promise<From> {
  if (text === 'earliest' || text === 'latest') return text
  return new Map((await partitions()).map(partition => [partition, Number(text)]))
}

function from(text: string): string {
  if (text === 'earliest' || text === 'latest' || /^\d{1,15}$/.test(text)) return text
  throw new InvalidArgumentError(`expected earliest, latest or an offset, got ${text}.`)
}

function limit(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new InvalidArgumentError(`expected a number of records of at least 1, got ${text}.`)
}
