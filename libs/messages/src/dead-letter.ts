import { createHash } from 'node:crypto'
import { type Codec, createCodec } from './codec.ts'
import { longOf, numberOf, textOf } from './fields.ts'
import { MessageError } from './message-error.ts'
import type { DeadLetter } from './messages.ts'
import { textFromUtf8, utf8 } from './text.ts'

interface AvroDeadLetter {
  reason: string
  message: string
  stage: string
  topic: string
  partition: number
  offset: bigint
  key: Buffer | null
  value: Buffer | null
  headers: { name: string; value: Buffer }[]
}

const buffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** A dead letter in one value, for stores and APIs without headers. On the log it travels as `deadLetterRecord`. */
export const deadLetterCodec: Codec<DeadLetter> = createCodec<DeadLetter, AvroDeadLetter>(
  'eddy.dead-letters.v1-value',
  letter => ({
    reason: textOf(letter.reason, 'reason'),
    message: textOf(letter.message, 'message'),
    stage: textOf(letter.stage, 'stage'),
    topic: textOf(letter.topic, 'topic'),
    partition: letter.partition,
    offset: longOf(letter.offset, 'offset'),
    key: letter.key && buffer(letter.key),
    value: letter.value && buffer(letter.value),
    headers: letter.headers.map(({ name, value }) => ({ name: textOf(name, 'headers'), value: buffer(value) })),
  }),
  record => ({
    reason: record.reason,
    message: record.message,
    stage: record.stage,
    topic: record.topic,
    partition: record.partition,
    offset: numberOf(record.offset, 'offset'),
    key: record.key,
    value: record.value,
    headers: record.headers.map(({ name, value }) => ({ name, value })),
  }),
)

/** The parts of a record of the log that a dead letter uses. */
export interface DeadLetterRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Readonly<Record<string, Uint8Array>>
}

const prefix = '__connect.errors.'
const connect = {
  topic: `${prefix}topic`,
  partition: `${prefix}partition`,
  offset: `${prefix}offset`,
  stage: `${prefix}stage`,
  reason: `${prefix}exception.class.name`,
  message: `${prefix}exception.message`,
  cutFrom: `${prefix}cut.from`,
} as const

/** Below what brokers take by default, with room for the reason. */
const DEFAULT_MOST = 900_000

/** Bytes that are kept of a value that is cut. */
const KEPT = 65_536

function bounded(letter: DeadLetter, most: number): DeadLetter {
  const sizeOf = (bytes: Uint8Array | null): number => bytes?.length ?? 0
  const headerBytes = letter.headers.reduce((sum, { name, value }) => sum + 3 * name.length + value.length, 0)
  const { value, key } = letter
  if (sizeOf(key) + sizeOf(value) + headerBytes <= most) return letter
  const kept = value?.subarray(0, Math.min(KEPT, most >> 2))
  const sha256 = createHash('sha256')
    .update(value ?? new Uint8Array())
    .digest('hex')
  const said = `the original of ${sizeOf(value)} bytes, SHA-256 ${sha256}, was cut`
  return {
    ...letter,
    message: `${letter.message.slice(0, maxMessage - said.length - 3)} (${said})`,
    value: kept ?? null,
    key: sizeOf(key) <= most >> 2 ? key : null,
    headers: headerBytes <= most >> 2 ? letter.headers : [],
    cutFrom: sizeOf(value),
  }
}

/** Longest message kept, characters: an error may quote the input. */
const maxMessage = 2_000

/**
 * The record for the dead-letter topic: the ORIGINAL key, value and headers, so that a retry is a copy, and the reason in
 * Kafka Connect's `__connect.errors.*` headers (KIP-298), so that its tools can read it. Headers of that prefix that the
 * original already had (it was dead before) are replaced.
 * @param most bytes of key, value and headers together. What has more is cut, or nobody could store why it was refused; its message says how long
 * it was, and its SHA-256: with the place that is enough to find the original
 */
export function deadLetterRecord(whole: DeadLetter, most = DEFAULT_MOST): DeadLetterRecord {
  const letter = bounded(whole, most)
  const headers: Record<string, Uint8Array> = Object.fromEntries(
    letter.headers.filter(({ name }) => !name.startsWith(prefix)).map(({ name, value }) => [name, value]),
  )
  headers[connect.topic] = utf8(letter.topic)
  headers[connect.partition] = utf8(String(letter.partition))
  headers[connect.offset] = utf8(String(letter.offset))
  headers[connect.stage] = utf8(letter.stage)
  headers[connect.reason] = utf8(letter.reason)
  headers[connect.message] = utf8(letter.message.slice(0, maxMessage))
  if (letter.cutFrom !== undefined) headers[connect.cutFrom] = utf8(String(letter.cutFrom))
  return { key: letter.key, value: letter.value, headers }
}

/**
 * The dead letter a record of the dead-letter topic holds; its `headers` are the original's.
 * @throws MessageError when the record has no `__connect.errors.*` headers
 */
export function deadLetterFrom(record: DeadLetterRecord): DeadLetter {
  const text = (name: string): string => {
    const bytes = record.headers[name]
    if (bytes) return textFromUtf8(bytes)
    throw new MessageError(`headers: expected ${name}, got none. This record was not refused by Eddy or Kafka Connect.`)
  }
  const whole = (name: string): number => {
    const value = text(name)
    if (/^\d{1,16}$/.test(value) && Number.isSafeInteger(Number(value))) return Number(value)
    throw new MessageError(`${name}: expected a whole number, got ${JSON.stringify(value.slice(0, 40))}.`)
  }
  return {
    reason: text(connect.reason),
    message: text(connect.message),
    stage: text(connect.stage),
    topic: text(connect.topic),
    partition: whole(connect.partition),
    offset: whole(connect.offset),
    ...(record.headers[connect.cutFrom] && { cutFrom: whole(connect.cutFrom) }),
    key: record.key,
    value: record.value,
    headers: Object.entries(record.headers)
      .filter(([name]) => !name.startsWith(prefix))
      .map(([name, value]) => ({ name, value })),
  }
}
