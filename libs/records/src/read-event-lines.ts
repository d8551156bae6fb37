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
}

export interface EventLineOptions extends EventOptions {
  /** told, with each batch, how much of the file has been read (0 to 1); never for a stream */
  readonly onProgress?: ((share: number) => void) | undefined
}

/**
 * A file's events as the JSON bytes of each, batch by batch. Lines of NDJSON are passed on as they are, broken ones too:
 * ingest quarantines those with the reason. Rows of CSV become JSON objects.
 * @throws InputError when the file cannot be read, is empty, or (CSV) has no column for the customer
 */
export async function* readEventLines(
  path: string,
  { onProgress, ...options }: EventLineOptions = {},
): AsyncGenerator<readonly EventLine[]> {
  const records = await readRecords(path, options)
  const { size, position } = records.input
  const batches = records.format === 'ndjson' ? lines(records.input) : rows(records, options)
  for await (const batch of batches) {
    yield batch
    if (size !== undefined && size > 0) onProgress?.(position() / size)
  }
}

async function* rows(records: Records, options: EventOptions): AsyncGenerator<readonly EventLine[]> {
  for await (const batch of readEvents(records, options)) {
    yield batch.map(({ event, record }) => ({
      value: encoder.encode(JSON.stringify(event)),
      source: JSON.stringify(record.names().map(name => record.get(name))),
    }))
  }
}

async function* lines(input: OpenInput): AsyncGenerator<readonly EventLine[]> {
  for await (const lines of splitLines(input.chunks, input.name)) {
    const events = lines.filter(line => !isBlank(line)).map(line => ({ value: line, source: line }))
    for (let i = 0; i < events.length; i += batchLines) yield events.slice(i, i + batchLines)
  }
}
