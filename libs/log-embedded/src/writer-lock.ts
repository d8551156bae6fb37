import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isBusy } from './errors.ts'

/**
 * At most one writing process a directory: a second SQLite file held in an exclusive transaction for as long as the
 * writer lives. The lock is the operating system's, so that kill −9 releases it.
 * @returns what releases it, or undefined when another process (or another log of this process) holds it
 */
export function lockForWriting(directory: string): (() => void) | undefined {
  const path = join(directory, 'writer.lock')
  closeSync(openSync(path, 'a', 0o600))
  const database = new DatabaseSync(path)
  try {
    database.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (isBusy(error)) return undefined
    throw error
  }
  return () => database.close()
}
