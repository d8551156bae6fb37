import type { Readable } from 'node:stream'
import { csvRecords } from './csv.ts'
import { InputError } from './input-error.ts'
import type { InputRecord, OnInvalid } from './input-record.ts'
import { ndjsonRecords } from './ndjson.ts'
import { type OpenInput, openInput } from './open-input.ts'

export type InputFormat = 'csv' | 'ndjson'

export interface ReadOptions {
  /** detected from the name or the content if absent */
  readonly format?: InputFormat | undefined
  /** where `-` reads from */
  readonly stdin?: Readable | undefined
  /** told each line that is no record, which is left out then; reading fails with its error if absent */
  readonly onInvalid?: OnInvalid | undefined
}

/** An input as batches of records; reading it twice is not possible. */
export interface Records {
  readonly name: string
  readonly format: InputFormat
  readonly input: OpenInput
  readonly batches: AsyncIterable<readonly InputRecord[]>
}

/**
 * Opens NDJSON or CSV, from a file or `-`, gzipped or not. Streams: only one batch is in memory.
 * @throws InputError when it cannot be read, is empty, or is neither; while iterating, when a line is malformed
 */
export async function readRecords(path: string, options: ReadOptions = {}): Promise<Records> {
  const input = await openInput(path, options.stdin)
  const format = options.format ?? formatOf(input)
  const batches = (format === 'csv' ? csvRecords : ndjsonRecords)(input, options.onInvalid ?? fail)
  return { name: input.name, format, input, batches }
}

function fail(error: InputError): never {
  throw error
}

/** Content decides where it is unmistakable, then the name, then CSV. */
function formatOf({ name, head }: OpenInput): InputFormat {
  if (head.length === 0) {
    throw new InputError(`${name}: expected NDJSON or CSV records, got an empty file.`)
  }
  const refuse = (got: string, next: string) =>
    new InputError(`${name}: expected NDJSON or CSV text, got ${got}. ${next}`)
  if (head.subarray(0, 4).toString('latin1') === 'PAR1') throw refuse('Parquet', 'Convert it to CSV first.')
  if (head.subarray(0, 4).toString('latin1') === 'PK\u0003\u0004') {
    throw refuse('a ZIP or Excel file', 'Unpack it, or save the sheet as CSV.')
  }
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)) {
    throw refuse('UTF-16', 'Save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE.')
  }
  if (head.includes(0)) throw refuse('binary data', 'Is it the right file?')
  const text = head
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trimStart()
  if (text.startsWith('{')) return 'ndjson'
  if (text.startsWith('[') && /\.json(\.gz)?$/i.test(name)) {
    throw refuse('a JSON array', "Write one object a line: jq -c '.[]' FILE.")
  }
  return /\.(ndjson|jsonl|json)(\.gz)?$/i.test(name) ? 'ndjson' : 'csv'
}
