// The thread of a `Writer`: its tasks, one after another, on a connection of its own.
import { openSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { seal } from '@eddy/log/adapter'
import { checksum } from './checksum.ts'
import { compressed, withPackedLength } from './compression.ts'
import { isFull } from './errors.ts'
import { wipeGaps } from './gaps.ts'
import { mostAhead } from './reserve.ts'
import { deleteMeta, putMeta, type Statement, WIPED } from './statements.ts'
import { Tip } from './tip.ts'
import type { Row, WriterAnswer, WriterOptions, WriterTask } from './writer.ts'

const { file, maxBytes, compress } = workerData as WriterOptions
const prepared = new Map<string, StatementSync>()
const tip = new Tip(file)
let database: DatabaseSync | undefined

/** A checkpoint costs an fsync: not after every commit. Pages. */
const LONGEST_AHEAD = 1000

function open(): DatabaseSync {
  const opened = withPackedLength(new DatabaseSync(file))
  const pageSize = Number(opened.prepare('PRAGMA page_size').get()?.page_size)
  const ahead = Math.min(LONGEST_AHEAD, Math.floor(mostAhead(dirname(file)) / pageSize))
  opened.exec(
    `PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${ahead}; PRAGMA secure_delete = ON`,
  )
  if (maxBytes !== undefined) {
    opened.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / pageSize))}`)
  }
  return opened
}

/** Durable, all or nothing. The batches among the values are compressed and sealed here: that keeps no event loop waiting. */
function transaction(database: DatabaseSync, statements: readonly Statement[]): Row[][] {
  database.exec('BEGIN IMMEDIATE')
  try {
    const rows = statements.map(({ sql, values }) => {
      const statement = prepared.get(sql) ?? database.prepare(sql)
      prepared.set(sql, statement)
      // A batch is the last value of its row, and vouches for the others.
      const payload = values.at(-1)
      if (!(payload instanceof Uint8Array)) return statement.all(...values)
      const others = values.slice(0, -1)
      return statement.all(...others, seal(compress ? compressed(payload) : payload, checksum(...others)))
    })
    database.exec('COMMIT')
    return rows
  } catch (error) {
    // A full disk may already have rolled it back.
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/** Without zeroing the pages that are freed. */
function hasty(database: DatabaseSync, statements: readonly Statement[]): Row[][] {
  database.exec('PRAGMA secure_delete = FAST')
  try {
    return transaction(database, [...statements, deleteMeta(WIPED)])
  } finally {
    database.exec('PRAGMA secure_delete = ON')
  }
}

/** Pages that are swept at a time: a publication waits no longer than that takes. */
const SWEPT_PAGES = 512

/** Open for as long as the thread is: closing it would take the locks that SQLite has on the same file. */
let descriptor: number | undefined

/** @returns the rowid to go on after, or null; and whether a reader still needs the write-ahead log, so that nothing was swept */
function sweep(database: DatabaseSync, after: number): { readonly busy: number; readonly next: number | null } {
  if (!emptyAhead(database)) return { busy: 1, next: after }
  if (after === Infinity) return { busy: 0, next: null }
  descriptor ??= openSync(file, 'r+')
  const pageSize = Number(database.prepare('PRAGMA page_size').get()?.page_size)
  const swept = { descriptor, pageSize }
  if (after === 0) wipeGaps(swept, rootOf(database, 'meta'))
  const next = wipeGaps(swept, rootOf(database, 'batch'), after, SWEPT_PAGES)
  reopen(database)
  return { busy: 0, next: next ?? null }
}

/** Moves what the write-ahead log holds to where it belongs, unless somebody reads. @returns whether it could */
function emptyAhead(database: DatabaseSync): boolean {
  database.exec('PRAGMA busy_timeout = 0')
  try {
    return database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.busy === 0
  } finally {
    database.exec('PRAGMA busy_timeout = 5000')
  }
}

const rootOf = (database: DatabaseSync, table: string): number =>
  Number(database.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(table)?.rootpage)

/** Pages that a connection remembers would be written with what was in them. */
function reopen(remembering: DatabaseSync): void {
  prepared.clear()
  remembering.close()
  database = open()
}

/** What is rewritten on its way is in the same directory, which is private, and as large. */
function rewrite(database: DatabaseSync): void {
  const keepTemporary = (directory: string): void =>
    database.exec(`PRAGMA temp_store_directory = '${directory.replaceAll("'", "''")}'`)
  keepTemporary(dirname(file))
  try {
    withRoom(database, () => database.exec('VACUUM'))
  } finally {
    keepTemporary('')
  }
  transaction(database, [putMeta(WIPED, 1)])
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
}

/** On a full disk, what the write-ahead log holds is moved to where it belongs, so that it can begin anew. */
function withRoom<T>(database: DatabaseSync, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!isFull(error) || !fits(database)) throw error
    try {
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } catch {
      throw error
    }
    return work()
  }
}

/** Whether there is room for a checkpoint: one that is cut short would take the last of it, for nothing. */
function fits(database: DatabaseSync): boolean {
  const { pages, size } = database
    .prepare('SELECT page_count AS pages, page_size AS size FROM pragma_page_count, pragma_page_size')
    .get() as { pages: number; size: number }
  const { bsize, bavail } = statfsSync(dirname(file))
  return pages * size - statSync(file).size <= bsize * bavail
}

function perform(task: WriterTask): Row[][] {
  database ??= open()
  switch (task.kind) {
    case 'transaction': {
      const opened = database
      const rows = withRoom(opened, () => (task.hasty ? hasty : transaction)(opened, task.statements))
      if (task.total !== undefined) tip.write(task.total)
      return rows
    }
    case 'sweep':
      return [[sweep(database, task.after)]]
    case 'rewrite':
      rewrite(database)
      return []
    case 'close':
      prepared.clear()
      database.close()
      tip.close()
      return []
  }
}

parentPort?.on('message', (task: WriterTask) => {
  let answer: WriterAnswer
  try {
    answer = { rows: perform(task) }
  } catch (error) {
    const { message, errcode } = error as Error & { errcode?: number }
    answer = { error: { message, errcode } }
  }
  parentPort?.postMessage(answer)
  if (task.kind === 'close') parentPort?.close()
})
