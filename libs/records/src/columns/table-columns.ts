import type { DuckDBDataChunk, DuckDBDoubleVector } from '@duckdb/node-api'
import { InputError } from '../input-error.ts'
import type { InputRecord } from '../input-record.ts'
import type { ColumnBatch } from './column-batch.ts'
import { database, literal, quoted, type Rows, rowsOf } from './database.ts'

/** Columns of a table with types: how each is read. */
interface TypedColumn {
  readonly name: string
  readonly kind: 'number' | 'truth' | 'text'
  /** expression of its text */
  readonly text: string
}

const numberTypes = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*|BIGNUM)$/

function typedColumn(name: string, type: string): TypedColumn {
  const column = quoted(name)
  const kind = numberTypes.test(type) ? 'number' : type === 'BOOLEAN' ? 'truth' : 'text'
  if (type === 'TIMESTAMP WITH TIME ZONE')
    return { name, kind, text: `strftime(make_timestamp(epoch_us(${column})), '%Y-%m-%dT%H:%M:%S.%fZ')` }
  // Without a zone, as which it is refused where a moment is wanted.
  if (type.startsWith('TIMESTAMP'))
    return { name, kind, text: `strftime(CAST(${column} AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%f')` }
  return { name, kind, text: `CAST(${column} AS VARCHAR)` }
}

/** The query of a Parquet file's rows. */
export const parquet = (path: string): string => `SELECT * FROM read_parquet(${literal(path)})`

/**
 * Rows of a query by columns, as they are typed there: numbers, truth values, and the rest as text.
 * @param name as errors name the table
 * @throws InputError with what DuckDB says of the query or of a damaged file
 */
export async function* tableColumns(
  query: string,
  name: string,
  onProgress: (share: number) => void,
): AsyncGenerator<ColumnBatch, boolean> {
  try {
    const connection = await database()
    const described = await connection.runAndReadAll(`DESCRIBE ${query}`)
    const columns = described.getRows().map(([column, type]) => typedColumn(String(column), String(type)))
    // Each as it is used, then as it is written.
    const used = columns.map(({ name, kind }) =>
      kind === 'number' ? `coalesce(CAST(${quoted(name)} AS DOUBLE), 'nan')` : quoted(name),
    )
    const written = columns.map(({ text }) => text)
    let row = 1
    for await (const rows of rowsOf(
      connection,
      `SELECT ${[...used, ...written].map((value, i) => `${value} AS c${i}`).join(', ')} FROM (${query})`,
    )) {
      yield new TableColumns(rows, columns, row)
      row += rows.count
      onProgress(connection.progress.percentage / 100)
    }
    return true
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError(`${name}: expected a table, got "${(error as Error).message.split('\n')[0]}".`)
  }
}

/** Place of the first column; the one before says whether the rows have ended. */
const FIRST = 1

class TableColumns implements ColumnBatch {
  readonly records: readonly InputRecord[]
  readonly #chunk: DuckDBDataChunk
  readonly #columns: readonly TypedColumn[]

  constructor({ chunk, count }: Rows, columns: readonly TypedColumn[], first: number) {
    this.#chunk = chunk
    this.#columns = columns
    const places = new Map(columns.map(({ name }, place) => [name, place]))
    this.records = Array.from({ length: count }, (_, row) => new TableRow({ chunk, columns, places }, row, first + row))
  }

  numbers(name: string): Float64Array | undefined {
    const place = this.#columns.findIndex(column => column.name === name && column.kind === 'number')
    if (place < 0) return undefined
    const vector = this.#chunk.getColumnVector(FIRST + place) as DuckDBDoubleVector
    return Float64Array.from(this.records, (_, row) => vector.getItem(row)!)
  }

  doubtful(): boolean {
    return false
  }
}

interface Table {
  readonly chunk: DuckDBDataChunk
  readonly columns: readonly TypedColumn[]
  readonly places: ReadonlyMap<string, number>
}

class TableRow implements InputRecord {
  readonly textual = false
  readonly line: number
  readonly #table: Table
  readonly #row: number

  constructor(table: Table, row: number, line: number) {
    this.#table = table
    this.#row = row
    this.line = line
  }

  names(): readonly string[] {
    return this.#table.columns.map(({ name }) => name)
  }

  get(name: string): unknown {
    const { places, columns, chunk } = this.#table
    const place = places.get(name)
    if (place === undefined) return undefined
    if (columns[place]!.kind === 'text') return this.text(name) ?? null
    const value = chunk.getColumnVector(FIRST + place).getItem(this.#row)
    // As many programs write a number that is missing.
    return Number.isNaN(value) ? null : value
  }

  text(name: string): string | undefined {
    const { places, columns, chunk } = this.#table
    const place = places.get(name)
    if (place === undefined) return undefined
    return (chunk.getColumnVector(FIRST + columns.length + place).getItem(this.#row) as string | null) ?? undefined
  }
}
