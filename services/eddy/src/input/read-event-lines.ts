import { type EventOptions, readEvents } from './read-events.ts'
import { type Records, readRecords } from './records.ts'

const encoder = new TextEncoder()
/** Most lines handed out at once. */
const batchLines = 4096

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
): AsyncGenerator<readonly Uint8Array[]> {
  const records = await readRecords(path, options)
  const { size, position, chunks } = records.input
  const batches = records.format === 'ndjson' ? lines(chunks) : rows(records, options)
  for await (const batch of batches) {
    yield batch
    if (size !== undefined && size > 0) onProgress?.(position() / size)
  }
}

async function* rows(records: Records, options: EventOptions): AsyncGenerator<readonly Uint8Array[]> {
  for await (const batch of readEvents(records, options)) {
    yield batch.map(({ event }) => encoder.encode(JSON.stringify(event)))
  }
}

async function* lines(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly Uint8Array[]> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let batch: Uint8Array[] = []
    let start = 0
    for (let newline = bytes.indexOf(10, start); newline >= 0; newline = bytes.indexOf(10, start)) {
      const line = bytes.subarray(start, newline)
      if (!isBlank(line)) batch.push(line)
      start = newline + 1
      if (batch.length < batchLines) continue
      yield batch
      batch = []
    }
    if (batch.length > 0) yield batch
    rest = bytes.subarray(start)
  }
  if (!isBlank(rest)) yield [rest]
}

/** Whether there is nothing but white space. */
export function isBlank(line: Uint8Array): boolean {
  for (let i = 0; i < line.length; i++) if (line[i]! > 32) return false
  return true
}
