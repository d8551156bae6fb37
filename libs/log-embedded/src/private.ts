import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'

/** Of the log. What SQLite puts beside a database has the database's rights. */
const files = ['log.sqlite', 'writer.lock', 'log.tip', 'log.reserve']

/**
 * Makes a log's directory, and lets nobody but its owner read it or its files (0700 and 0600): they name customers. Where another user owns
 * them, their rights are that user's affair.
 */
export function keepPrivate(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const file = join(directory, files[0]!)
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600))
  restrict(directory, 0o700)
  for (const name of files) if (existsSync(join(directory, name))) restrict(join(directory, name), 0o600)
}

function restrict(path: string, mode: number): void {
  try {
    chmodSync(path, mode)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error
  }
}
