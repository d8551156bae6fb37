import type { InputError } from './input-error.ts'
import type { OnInvalid } from './input-record.ts'
import type { OpenInput } from './open-input.ts'
import { type EventOptions, readEvents } from './read-events.ts'
import { type Records, readRecords } from './records.ts'
import { isBlank, splitLines } from './split-lines.ts'

const encoder = new TextEncoder()
/** Most lines handed out at once. */
const batchLines = 4096

/** An event as bytes of JSON. */
export interface EventLine {
  readonly value: Uint8Array
  /** what the file says of it, however it is compressed, quoted or broken into lines: equal where the event is the same one */
  readonly source: Uint8Array | string
  /** 1-based line of the file */
  readonly line: number
  /** why it is no record of the file, of which the value then is what could be read: it is no event */
  readonly problem?: InputError
}

export interface EventLineOptions extends EventOptions {
  /** told, with each batch, how much of the file has been read (0 to 1); never for a stream */
  readonly onProgress?: ((share: number) => void) | undefined
}

/**
 * A file's events as the JSON bytes of each, batch by batch. Lines of NDJSON are passed on as they are, broken ones too:
 * ingest quarantines those with the reason. Rows of CSV become JSON objects; a row with too few or too many cells becomes their text, which
 * is no event.
 * @throws InputError when the file cannot be read, is empty, or (CSV) has no column for the customer
 */
export async function* readEventLines(
  path: string,
  { onProgress, ...options }: EventLineOptions = {},
): AsyncGenerator<readonly EventLine[]> {
  const ragged: EventLine[] = []
  const onInvalid: OnInvalid = (problem, row) => {
    if (row === undefined) return
    const text = JSON.stringify(row.cells.join(','))
    ragged.push({ value: encoder.encode(text), source: text, line: row.line, problem })
  }
  const records = await readRecords(path, { ...options, onInvalid })
  const { size, position } = records.input
  const batches = records.format === 'ndjson' ? lines(records.input) : rows(records, options, ragged)
  for await (const batch of batches) {
    yield batch
    if (size !== undefined && size > 0) onProgress?.(position() / size)
  }
}

/** @param ragged the rows that reading has met beside its records: taken from it */
async function* rows(
  records: Records,
  options: EventOptions,
  ragged: EventLine[],
): AsyncGenerator<readonly EventLine[]> {
  for await (const batch of readEvents(records, options)) {
    const lines = batch.map(
      ({ event, record, line }): EventLine => ({
        value: encoder.encode(JSON.stringify(event)),
        source: JSON.stringify(record.names().map(name => record.get(name))),
        line,
      }),
    )
    const others = ragged.splice(0)
    yield others.length === 0 ? lines : [...lines, ...others].sort((a, b) => a.line - b.line)
  }
  if (ragged.length > 0) yield ragged.splice(0)
}

async function* lines(input: OpenInput): AsyncGenerator<readonly EventLine[]> {
  let before = 0
  for await (const lines of splitLines(input.chunks, input.name)) {
    const events = lines.flatMap((line, i) =>
      isBlank(line) ? [] : [{ value: line, source: line, line: before + i + 1 }],
    )
    before += lines.length
    for (let i = 0; i < events.length; i += batchLines) yield events.slice(i, i + batchLines)
  }
}
