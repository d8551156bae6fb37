import { Readable } from 'node:stream'
import type { ColumnBatch, ColumnSource } from './columns/column-batch.ts'
import { csvColumns } from './columns/csv-columns.ts'
import { jsonArray } from './columns/json-array.ts'
import { parquet, tableColumns } from './columns/table-columns.ts'
import { csvRecords, delimiterOf } from './csv.ts'
import { InputError } from './input-error.ts'
import type { InputRecord, OnInvalid } from './input-record.ts'
import { ndjsonRecords } from './ndjson.ts'
import { closeInput, type OpenInput, openInput } from './open-input.ts'

export const inputFormats = ['csv', 'ndjson', 'json', 'parquet'] as const

export type InputFormat = (typeof inputFormats)[number]

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
  readonly format: InputFormat | 'query'
  readonly input: OpenInput
  readonly batches: AsyncIterable<readonly InputRecord[]>
  /** The same records by columns, where that is quicker: to be asked for once the first batch is there. */
  readonly columns?: ColumnSource | undefined
}

/** Whether every record has the same columns: in JSON an absent key is a missing value, and only the end tells which there are. */
export const hasColumns = ({ format }: Pick<Records, 'format'>): boolean => format !== 'ndjson' && format !== 'json'

/** A smaller file is read before a database is there, bytes. */
const smallFile = 1 << 20

/**
 * Opens NDJSON or CSV, from a file or `-`, compressed or not, a file with a JSON array, or Parquet. Streams: only one batch is in memory.
 * @throws InputError when it cannot be read, is empty, or is neither; while iterating, when a line is malformed
 */
export async function readRecords(path: string, options: ReadOptions = {}): Promise<Records> {
  const { onInvalid = fail } = options
  const input = await openInput(path, options.stdin)
  const format = options.format ?? formatOf(input)
  const { name } = input
  if (format === 'ndjson') return { name, format, input, batches: ndjsonRecords(input, onInvalid) }
  const followed = following(input)
  if (format === 'csv')
    return { name, format, input: followed.input, ...csv(path, input, onInvalid, followed.onProgress) }
  await closeInput(input)
  if (!input.plain || path === '-')
    throw new InputError(
      `${name}: expected a plain file for ${format === 'json' ? 'a JSON array' : 'Parquet'}, got ${path === '-' ? 'standard input' : 'a compressed one'}. ` +
        'Write it to a file first.',
    )
  if (format === 'json')
    return { name, format, input: followed.input, batches: jsonArray(path, onInvalid, followed.onProgress) }
  const columns: ColumnSource = () => tableColumns(parquet(path), name, followed.onProgress)
  return { name, format, input: followed.input, batches: recordsOf(columns), columns }
}

/** What a query has instead of a file. */
const nothing = { chunks: Readable.from([]), head: Buffer.alloc(0), plain: true, size: undefined, position: () => 0 }

/**
 * Records of what a query of DuckDB's SQL gives, such as `SELECT recency, spend FROM 'customers.parquet'`.
 * @throws InputError while iterating, with what DuckDB says of it
 */
export function queryRecords(query: string): Records {
  const name = 'the query'
  const columns: ColumnSource = () => tableColumns(query.replace(/[;\s]+$/, ''), name, () => {})
  const input: OpenInput = { ...nothing, name }
  return { name, format: 'query', input, batches: recordsOf(columns), columns }
}

function csv(
  path: string,
  input: OpenInput,
  onInvalid: OnInvalid,
  onProgress: (share: number) => void,
): Pick<Records, 'batches' | 'columns'> {
  let names: readonly string[] = []
  async function* batches(): AsyncGenerator<readonly InputRecord[]> {
    for await (const batch of csvRecords(input, onInvalid)) {
      names = batch[0]!.names()
      yield batch
    }
  }
  // A database would take some characters of a path for a pattern.
  const quick = input.plain && (input.size ?? 0) >= smallFile && !/[*?[]/.test(path)
  const columns: ColumnSource = numeric =>
    csvColumns({ path, delimiter: delimiterOf(input.head), names }, numeric, onProgress)
  return { batches: batches(), columns: quick ? columns : undefined }
}

async function* recordsOf(columns: ColumnSource): AsyncGenerator<ColumnBatch['records']> {
  for await (const { records } of columns(new Set())) yield records
}

/** An input that is also read in another way, which tells the share it has read. */
function following(input: OpenInput): { readonly input: OpenInput; readonly onProgress: (share: number) => void } {
  let read = 0
  return {
    input: { ...input, position: () => Math.max(input.position(), read) },
    onProgress: share => {
      read = share * (input.size ?? 0)
    },
  }
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
    new InputError(`${name}: expected NDJSON, CSV, Parquet or a JSON array, got ${got}. ${next}`)
  if (head.subarray(0, 4).toString('latin1') === 'PAR1') return 'parquet'
  if (head.subarray(0, 4).toString('latin1') === 'PK\u0003\u0004') {
    throw refuse('a ZIP or Excel file', 'Unpack it, or save the sheet as CSV.')
  }
  if (head.includes(0)) throw refuse('binary data', 'Is it the right file?')
  const text = head
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trimStart()
  if (text.startsWith('{')) return 'ndjson'
  if (text.startsWith('[') && /\.json(\.gz|\.zst)?$/i.test(name)) return 'json'
  return /\.(ndjson|jsonl|json)(\.gz|\.zst)?$/i.test(name) ? 'ndjson' : 'csv'
}
