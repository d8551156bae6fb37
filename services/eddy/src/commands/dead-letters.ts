import { asyncValues, type EventLog, type OutgoingRecord, type StoredRecord } from '@eddy/log'
import { type DeadLetter, deadLetterFrom } from '@eddy/messages'
import { valueJson } from '@eddy/model'
import { InputError } from '@eddy/records'
import { counted, plural } from '@eddy/runtime'
import { Command, InvalidArgumentError } from 'commander'
import { note, oneLine, print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { withExamples } from '../program.ts'
import { configurationOf, type LogFlags, withLogOptions } from './log-options.ts'
import { openCommandLog } from './open-command-log.ts'

interface Flags extends LogFlags {
  readonly reason?: string
  readonly json?: true
}

interface Place {
  readonly partition: number
  readonly offset: number
}

interface Found extends Place {
  readonly letter: DeadLetter
}

/** `eddy dead-letters list|show|retry`: events that were refused. */
export function deadLettersCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('dead-letters').description('List, show and retry events that were refused.')
  const list = new Command('list')
    .description('One line for each: its place, where it came from, and why it was refused.')
    .option('--reason <reason>', 'only these, e.g. out-of-bounds')
    .option('--json', 'one JSON object per line')
    .action((flags: Flags) => each(flags, terminal, found => print(terminal, listed(found, flags.json === true))))
  const show = new Command('show')
    .description('Show one in full, with its original key, value and headers.')
    .argument('<partition/offset>', 'as `list` gives it', place)
    .option('--json', 'what is printed: one JSON object')
    .action((where: Place, flags: Flags) => one(where, flags, terminal))
  const retry = new Command('retry')
    .description(
      'Append them unchanged to the topic they came from, e.g. after `min` or `max` was changed. They stay in the list.',
    )
    .argument('[partition/offset]', 'one of them; all (of --reason) if absent', place)
    .option('--reason <reason>', 'only these')
    .action((where: Place | undefined, flags: Flags) => retryLetters(where, flags, terminal))
  for (const sub of [list, show, retry]) command.addCommand(withLogOptions(sub))
  return withExamples(command, [
    ['eddy dead-letters list --reason out-of-bounds', 'what was refused for its bounds'],
    ['eddy dead-letters show 0/17', 'one of them, whole'],
    ['eddy dead-letters retry --reason unknown-category', 'once the configuration knows the category'],
  ])
}

async function each(flags: Flags, terminal: Terminal, handle: (found: Found) => Promise<void>): Promise<void> {
  const configuration = configurationOf(flags, terminal)
  const log = await openCommandLog(configuration, terminal, { readOnly: true })
  try {
    for await (const found of letters(log, configuration.topics.deadLetters, flags.reason)) await handle(found)
  } finally {
    await log.close()
  }
}

async function one({ partition, offset }: Place, flags: Flags, terminal: Terminal): Promise<void> {
  let shown = false
  await each(flags, terminal, async found => {
    if (found.partition !== partition || found.offset !== offset) return
    shown = true
    await print(terminal, `${JSON.stringify(whole(found), undefined, 2)}\n`)
  })
  if (!shown) throw noneAt({ partition, offset })
}

const noneAt = ({ partition, offset }: Place): InputError =>
  new InputError(`dead letter: expected one at ${partition}/${offset}, got none. See \`eddy dead-letters list\`.`)

async function retryLetters(where: Place | undefined, flags: Flags, terminal: Terminal): Promise<void> {
  const configuration = configurationOf(flags, terminal)
  const log = await openCommandLog(configuration, terminal)
  try {
    let retried = 0
    let unfit = 0
    let cut = 0
    for await (const { letter, partition, offset } of letters(log, configuration.topics.deadLetters, flags.reason)) {
      if (where !== undefined && (where.partition !== partition || where.offset !== offset)) continue
      if (letter.cutFrom !== undefined) {
        cut++
        continue
      }
      const { key, value, headers, topic } = letter
      const record: OutgoingRecord = {
        key,
        value,
        partition: letter.partition,
        headers: Object.fromEntries(headers.map(header => [header.name, header.value])),
      }
      await log.publish([{ topic, records: [record] }])
      retried++
      if (letter.reason === 'unfit') unfit++
    }
    if (where !== undefined && retried + cut === 0) throw noneAt(where)
    note(terminal, `Appended ${counted(retried, 'event')} again.`)
    if (cut > 0)
      note(
        terminal,
        `${counted(cut, 'event')} among them ${plural(cut, 'was')} too large to be kept whole, and ${plural(cut, 'is')} not appended: the originals are where \`list\` says, if they are stored still.`,
      )
    if (unfit > 0)
      note(
        terminal,
        `${counted(unfit, 'feature vector')} among them did not have the model's form (unfit): until a model has theirs, as \`eddy relearn\` makes one, they are refused again.`,
      )
  } finally {
    await log.close()
  }
}

/** Every dead letter stored now. */
async function* letters(log: EventLog, topic: string, reason: string | undefined): AsyncGenerator<Found> {
  for await (const delivery of asyncValues(log.consume(topic, { from: 'earliest', untilEnd: true }))) {
    for (const record of delivery.records) {
      const letter = deadLetterFrom(record as StoredRecord)
      if (reason === undefined || letter.reason === reason)
        yield { letter, partition: delivery.partition, offset: record.offset }
    }
    delivery.ack()
  }
}

function listed({ partition, offset, letter }: Found, json: boolean): string {
  const { reason, message, stage, topic } = letter
  const summary = {
    partition,
    offset,
    reason,
    message,
    stage,
    source: { topic, partition: letter.partition, offset: letter.offset },
  }
  return json
    ? `${JSON.stringify(summary)}\n`
    : `${partition}/${offset}  ${oneLine(`${reason}: ${message}  (${topic} ${letter.partition}/${letter.offset})`)}\n`
}

function whole(found: Found): object {
  const { letter } = found
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')
  return {
    ...(JSON.parse(listed(found, true)) as object),
    key: letter.key === null ? null : text(letter.key),
    value: valueJson(letter),
    headers: Object.fromEntries(letter.headers.map(({ name, value }) => [name, text(value)])),
  }
}

function place(text: string): Place {
  const [, partition, offset] = /^(\d{1,6})\/(\d{1,15})$/.exec(text) ?? []
  if (partition === undefined || offset === undefined)
    throw new InvalidArgumentError(`expected partition/offset such as 0/17, got ${text}.`)
  return { partition: Number(partition), offset: Number(offset) }
}
