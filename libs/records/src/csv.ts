import { Readable } from 'node:stream'
import { type CsvError, parse } from 'csv-parse'
import { InputError } from './input-error.ts'
import { batchSize, type InputRecord, type OnInvalid } from './input-record.ts'
import type { OpenInput } from './open-input.ts'

/** Columns of a CSV file and their places. */
interface Header {
  readonly names: readonly string[]
  readonly places: ReadonlyMap<string, number>
}

class CsvRecord implements InputRecord {
  readonly textual = true
  readonly line: number
  readonly #header: Header
  readonly #cells: readonly string[]

  constructor(line: number, header: Header, cells: readonly string[]) {
    this.line = line
    this.#header = header
    this.#cells = cells
  }

  names(): readonly string[] {
    return this.#header.names
  }

  get(name: string): unknown {
    const place = this.#header.places.get(name)
    if (place === undefined) return undefined
    const cell = this.#cells[place]!
    return cell === '' ? null : cell
  }

  text(name: string): string | undefined {
    return (this.get(name) as string | null) ?? undefined
  }
}

/** CSV with a header line; comma, semicolon or tab; quotes as in RFC 4180. */
export async function* csvRecords(input: OpenInput, onInvalid: OnInvalid): AsyncGenerator<readonly InputRecord[]> {
  const source = Readable.from(utf8Only(input))
  const parser = parse({
    bom: true,
    delimiter: delimiterOf(input.head),
    info: true,
    trim: true,
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: 4 * 1024 * 1024,
  })
  source.on('error', error => parser.destroy(error))
  let header: Header | undefined
  let batch: InputRecord[] = []
  try {
    for await (const item of source.pipe(parser)) {
      const { record, info } = item as { record: string[]; info: { lines: number } }
      if (!header) {
        header = headerOf(record, input.name, info.lines)
        continue
      }
      // One separator too many at the end of a row says nothing.
      if (record.length === header.names.length + 1 && record.at(-1) === '') record.pop()
      if (record.length !== header.names.length) {
        onInvalid(ragged(record, header, input.name, info.lines), { line: info.lines, cells: record })
        continue
      }
      batch.push(new CsvRecord(info.lines, header, record))
      if (batch.length === batchSize) {
        yield batch
        batch = []
      }
    }
  } catch (error) {
    throw error instanceof InputError ? error : malformed(error as CsvError, input.name)
  } finally {
    source.destroy()
  }
  if (batch.length > 0) yield batch
}

async function* utf8Only(input: OpenInput): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  try {
    for await (const chunk of input.chunks) yield decoder.decode(chunk, { stream: true })
    yield decoder.decode()
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError(
      `${input.name}: expected UTF-8 text, got other bytes. Convert it: iconv -f WINDOWS-1252 -t UTF-8 FILE.`,
    )
  }
}

/** The separator that is most frequent in the header line. */
export function delimiterOf(head: Buffer): string {
  const line = head.toString('utf8').split('\n', 1)[0]!
  const count = (separator: string) => line.split(separator).length
  return [',', ';', '\t'].reduce((best, next) => (count(next) > count(best) ? next : best))
}

function headerOf(names: readonly string[], file: string, line: number): Header {
  if (names.every(name => name !== '' && Number.isFinite(Number(name)))) {
    throw new InputError(
      `${file}:${line}: expected a header line with the names of the columns, got numbers (${names.slice(0, 4).join(', ')}). Put a line of names first.`,
    )
  }
  const places = new Map<string, number>()
  for (const [place, name] of names.entries()) {
    if (places.has(name) && name !== '') {
      throw new InputError(`${file}:${line}: expected different column names, got "${name}" twice. Rename one.`)
    }
    places.set(name, place)
  }
  return { names, places }
}

function ragged(cells: readonly string[], { names }: Header, file: string, line: number): InputError {
  return new InputError(
    `${file}:${line}: expected ${names.length} cells (${names.join(', ')}), got ${cells.length}. Is a separator or a quote missing?`,
  )
}

function malformed(error: CsvError, file: string): InputError {
  const line = typeof error.lines === 'number' ? `:${error.lines}` : ''
  return new InputError(`${file}${line}: expected CSV as in RFC 4180, got "${error.message}".`)
}
