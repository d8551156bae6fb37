import type { DuckDBDataChunk, DuckDBDoubleVector } from '@duckdb/node-api'
import type { InputRecord } from '../input-record.ts'
import { longestLine } from '../split-lines.ts'
import type { ColumnBatch } from './column-batch.ts'
import { database, literal, type Rows, rowsOf } from './database.ts'

/** What there is to know of a CSV file before its rows are read. */
export interface CsvLayout {
  readonly path: string
  readonly delimiter: string
  /** of its header line */
  readonly names: readonly string[]
}

/**
 * Rows of a CSV file by columns, some ten times as fast as record by record. What DuckDB reads otherwise than the reader of records, or
 * refuses, is left to that: a row of too few or too many cells, broken quotes, other bytes than UTF-8, text with quotes or with blanks around it.
 */
export async function* csvColumns(
  { path, delimiter, names }: CsvLayout,
  numeric: ReadonlySet<string>,
  onProgress: (share: number) => void,
): AsyncGenerator<ColumnBatch, boolean> {
  const cells = names.map((_, place) => `c${place}`)
  const [numbers, texts] = partition(cells, (_, place) => numeric.has(names[place]!))
  // `1_000`, `+-5` and `inf` are numbers to DuckDB. A cell that is none has no finite value.
  const doubts = numbers.map(
    cell => `${cell} IS NOT NULL AND (NOT isfinite(n${cell}) OR contains(${cell}, '_') OR contains(${cell}, '+-'))`,
  )
  const inexact = texts.map(
    cell => `${cell} IS NOT NULL AND (contains(${cell}, '"') OR ${cell} <> trim(${cell}, e' \\t\\r\\n\\f'))`,
  )
  const any = (conditions: readonly string[]): string => ['false', ...conditions].join(' OR ')
  const query = `
    SELECT ${any(doubts)} AS doubtful, ${any(inexact)} AS inexact, ${[...numbers.map(cell => `n${cell}`), ...cells].join(', ')}
    FROM (SELECT *${numbers.map(cell => `, coalesce(TRY_CAST(${cell} AS DOUBLE), 'nan') AS n${cell}`).join('')}
      FROM read_csv(${literal(path)}, auto_detect = false, header = true, delim = ${literal(delimiter)}, quote = '"', escape = '"',
        strict_mode = true, compression = 'none', max_line_size = ${longestLine}, columns = {${cells.map(cell => `${cell}: 'VARCHAR'`).join(', ')}}))`
  let line = 2
  try {
    const connection = await database()
    for await (const rows of rowsOf(connection, query)) {
      const batch = new CsvColumns(
        rows,
        names,
        numbers.map(cell => names[cells.indexOf(cell)]!),
        line,
      )
      if (batch.inexact) return false
      line += rows.count
      yield batch
      onProgress(connection.progress.percentage / 100)
    }
    return true
  } catch {
    return false
  }
}

function partition<T>(all: readonly T[], into: (item: T, place: number) => boolean): [T[], T[]] {
  return [all.filter(into), all.filter((item, place) => !into(item, place))]
}

/** Places of the columns that are asked for; the first of all says whether the rows have ended. */
const [DOUBTFUL, INEXACT, FIRST_NUMBER] = [1, 2, 3]

class CsvColumns implements ColumnBatch {
  readonly records: readonly InputRecord[]
  readonly #chunk: DuckDBDataChunk
  readonly #numeric: readonly string[]

  constructor({ chunk, count }: Rows, names: readonly string[], numeric: readonly string[], line: number) {
    this.#chunk = chunk
    this.#numeric = numeric
    const table = {
      chunk,
      names,
      places: new Map(names.map((name, place) => [name, FIRST_NUMBER + numeric.length + place])),
    }
    this.records = Array.from({ length: count }, (_, row) => new CsvRow(table, row, line + row))
  }

  /** Whether any row has text that the other reader must read. */
  get inexact(): boolean {
    return this.records.some((_, row) => this.#chunk.getColumnVector(INEXACT).getItem(row) === true)
  }

  numbers(name: string): Float64Array | undefined {
    const place = this.#numeric.indexOf(name)
    if (place < 0) return undefined
    const vector = this.#chunk.getColumnVector(FIRST_NUMBER + place) as DuckDBDoubleVector
    return Float64Array.from(this.records, (_, row) => vector.getItem(row)!)
  }

  doubtful(row: number): boolean {
    return this.#chunk.getColumnVector(DOUBTFUL).getItem(row) === true
  }
}

/** Columns of a batch of rows, and where each of them is. */
interface Table {
  readonly chunk: DuckDBDataChunk
  readonly names: readonly string[]
  readonly places: ReadonlyMap<string, number>
}

class CsvRow implements InputRecord {
  readonly textual = true
  readonly #table: Table
  readonly #row: number
  /** as long as each row is a line of its own */
  readonly line: number

  constructor(table: Table, row: number, line: number) {
    this.#table = table
    this.#row = row
    this.line = line
  }

  names(): readonly string[] {
    return this.#table.names
  }

  get(name: string): unknown {
    const place = this.#table.places.get(name)
    if (place === undefined) return undefined
    const cell = this.#table.chunk.getColumnVector(place).getItem(this.#row) as string | null
    return cell === null ? null : trimmed(cell) || null
  }

  text(name: string): string | undefined {
    return (this.get(name) as string | null) ?? undefined
  }
}

/** Without blanks around it, which the reader of records leaves out too. */
const trimmed = (cell: string): string => cell.replace(/^[ \t\r\n\f]+|[ \t\r\n\f]+$/g, '')
