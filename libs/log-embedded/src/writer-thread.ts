// The thread of a `Writer`: its tasks, one after another, on a connection of its own.
import { statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { seal } from '@eddy/log/adapter'
import { checksum } from './checksum.ts'
import { isFull } from './errors.ts'
import { mostAhead } from './reserve.ts'
import type { Statement } from './statements.ts'
import { Tip } from './tip.ts'
import type { Row, WriterAnswer, WriterOptions, WriterTask } from './writer.ts'

const { file, maxBytes } = workerData as WriterOptions
const prepared = new Map<string, StatementSync>()
const tip = new Tip(file)
let database: DatabaseSync | undefined

/** A checkpoint costs an fsync: not after every commit. Pages. */
const LONGEST_AHEAD = 1000

function open(): DatabaseSync {
  const opened = new DatabaseSync(file)
  const pageSize = Number(opened.prepare('PRAGMA page_size').get()?.page_size)
  const ahead = Math.min(LONGEST_AHEAD, Math.floor(mostAhead(dirname(file)) / pageSize))
  opened.exec(`PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${ahead}`)
  if (maxBytes !== undefined) {
    opened.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / pageSize))}`)
  }
  return opened
}

/** Durable, all or nothing. The batches among the values are sealed here: their checksums keep no event loop waiting. */
function transaction(database: DatabaseSync, statements: readonly Statement[]): Row[][] {
  database.exec('BEGIN IMMEDIATE')
  try {
    const rows = statements.map(({ sql, values }) => {
      const statement = prepared.get(sql) ?? database.prepare(sql)
      prepared.set(sql, statement)
      // A batch is the last value of its row, and vouches for the others.
      const payload = values.at(-1)
      if (payload instanceof Uint8Array) seal(payload, checksum(...values.slice(0, -1)))
      return statement.all(...values)
    })
    database.exec('COMMIT')
    return rows
  } catch (error) {
    // A full disk may already have rolled it back.
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
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
      const rows = withRoom(opened, () => transaction(opened, task.statements))
      if (task.total !== undefined) tip.write(task.total)
      return rows
    }
    case 'scrub': {
      const opened = database
      withRoom(opened, () => opened.exec('VACUUM'))
      opened.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      return []
    }
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
