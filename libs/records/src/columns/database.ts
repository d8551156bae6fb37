import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api'
import { InputError } from '../input-error.ts'

/** It neither spills to a disk nor fetches anything: what it needs is built in. */
const settings = {
  threads: '2',
  memory_limit: '1GB',
  temp_directory: '',
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
}

let opened: Promise<DuckDBConnection> | undefined

/**
 * DuckDB in the memory of this process, opened when first asked for.
 * @throws InputError where it is not installed: services and images do without
 */
export async function database(): Promise<DuckDBConnection> {
  opened ??= open()
  return opened
}

async function open(): Promise<DuckDBConnection> {
  const { DuckDBInstance } = await import('@duckdb/node-api').catch(error => {
    throw new InputError(
      `@duckdb/node-api: expected it to be installed, which reads tables, got ${(error as NodeJS.ErrnoException).code}. Install it (npm install @duckdb/node-api), or convert the file to CSV.`,
    )
  })
  const connection = await (await DuckDBInstance.create(':memory:', settings)).connect()
  await connection.run('SET enable_progress_bar = true; SET enable_progress_bar_print = false')
  return connection
}

/** Some rows of a query. */
export interface Rows {
  readonly chunk: DuckDBDataChunk
  readonly count: number
}

/**
 * Rows of a query, some 2,048 at a time, in order. An error on the way ends a stream of DuckDB's as its end does, without a word (1.5): a last
 * row of our own tells the two apart.
 * @throws Error when the query is refused, or could not be carried to its end
 */
export async function* rowsOf(connection: DuckDBConnection, query: string): AsyncGenerator<Rows> {
  const result = await connection.stream(
    `SELECT false AS ended, * FROM (${query}) UNION ALL BY NAME SELECT true AS ended`,
  )
  let ended = false
  for (;;) {
    const chunk = await result.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) break
    ended = chunk.getColumnVector(0).getItem(chunk.rowCount - 1) === true
    const count = chunk.rowCount - (ended ? 1 : 0)
    if (count > 0) yield { chunk, count }
  }
  if (!ended) throw new Error('it cannot be read to its end; is it whole?')
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`
