import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { LogError } from '@eddy/log'
import { explain } from './errors.ts'
import { giveIdentity } from './identity.ts'
import { Store } from './store.ts'
import { verifyLog } from './verify.ts'
import { lockForWriting } from './writer-lock.ts'

const fileName = 'log.sqlite'

/**
 * Copies a log, also while another process writes to it, as it is at one moment (SQLite's online backup): what was acknowledged
 * before the call is in the copy, and positions, records and snapshots agree with each other.
 * @param from directory of the log
 * @param to directory of the copy; must hold no log
 * @returns bytes copied
 * @throws LogError when there is nothing to copy, when `to` holds a log, or when anything in the copy is damaged
 */
export function backUpLog(from: string, to: string): Promise<number> {
  return copyLog(from, to, () => {})
}

/** @param change what the copy is to have otherwise */
async function copyLog(from: string, to: string, change: (copy: DatabaseSync) => void): Promise<number> {
  refuseOccupied(to)
  await checkLog(from)
  // Beside where it is to be, so that it can be renamed.
  const partial = join(to, 'partial')
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(partial, { recursive: true, mode: 0o700 })
  const copy = join(partial, fileName)
  try {
    await copyDatabase(join(from, fileName), copy)
    const bytes = standAlone(copy, change)
    await verifyLog(partial)
    publish(copy, to)
    return bytes
  } catch (error) {
    throw explain(error, from)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

/** Opening checks that this is a log of ours, and of this format. */
const checkLog = (directory: string): Promise<void> =>
  new Store(directory, { readOnly: true, clock: Date.now, maxBytes: undefined }).close()

async function copyDatabase(from: string, to: string): Promise<void> {
  const source = new DatabaseSync(from, { readOnly: true })
  try {
    source.exec('PRAGMA busy_timeout = 5000')
    // All pages in one step: between steps a writer would make it begin again.
    await backup(source, to, { rate: 2 ** 31 - 1 })
  } finally {
    source.close()
  }
}

/**
 * Puts a copy made by `backUpLog` where a log is to run, as a log of its own: it will have other records at the offsets that follow. Nobody
 * may be writing there.
 * @throws LogError when `from` is damaged or no log, or when `to` already holds one
 */
export async function restoreLog(from: string, to: string): Promise<number> {
  refuseOccupied(to)
  // Before anything is made: a mistyped path leaves no empty folder behind.
  await checkLog(from)
  mkdirSync(to, { recursive: true, mode: 0o700 })
  const unlock = lockForWriting(to)
  if (unlock === undefined)
    throw new LogError(`log ${to}: expected nobody to write there, got a writing process. Stop it.`)
  try {
    return await copyLog(from, to, giveIdentity)
  } finally {
    unlock()
  }
}

function refuseOccupied(directory: string): void {
  if (existsSync(join(directory, fileName)))
    throw new LogError(
      `log ${directory}: expected a directory without a log, got one. Choose another, or move ${fileName}* away first.`,
    )
}

/** In the copy nobody else reads: no write-ahead log is left beside it. @returns its size, bytes */
function standAlone(file: string, change: (copy: DatabaseSync) => void): number {
  const database = new DatabaseSync(file)
  try {
    database.exec('PRAGMA journal_mode = DELETE')
    change(database)
    const number = (pragma: string): number =>
      Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0])
    return number('page_count') * number('page_size')
  } finally {
    database.close()
  }
}

/** Durable under its final name, or not there at all. */
function publish(partial: string, directory: string): void {
  chmodSync(partial, 0o600)
  sync(partial)
  renameSync(partial, join(directory, fileName))
  sync(directory)
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}
