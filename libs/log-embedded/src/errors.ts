import { LogError, type LogErrorCode } from '@eddy/log'

// Primary result codes of SQLite (https://sqlite.org/rescode.html).
const BUSY = 5
const READONLY = 8
const IOERR = 10
const CORRUPT = 11
const FULL = 13
const CANTOPEN = 14
const NOTADB = 26

/** Extended: no room for the index of the write-ahead log, which is needed before anything is read or written. */
const IOERR_SHMSIZE = IOERR | (19 << 8)

function resultCode(error: unknown): number {
  const code = (error as { errcode?: unknown } | null)?.errcode
  if (code === IOERR_SHMSIZE) return FULL
  return typeof code === 'number' ? code & 0xff : 0
}

export function isBusy(error: unknown): boolean {
  return resultCode(error) === BUSY
}

export function isFull(error: unknown): boolean {
  return resultCode(error) === FULL
}

/**
 * True when nobody can know whether a failed commit will be found after a crash: the write-ahead log may already hold
 * it. A full disk is definite, because the commit's last frame cannot have been written.
 */
export function isIndefinite(error: unknown): boolean {
  return resultCode(error) === IOERR
}

/** What a failure of SQLite means to the reader of the message. */
export function explain(error: unknown, file: string): LogError {
  if (error instanceof LogError) return error
  const message = error instanceof Error ? error.message : String(error)
  const say = (text: string, code?: LogErrorCode) => new LogError(`log ${file}: ${text}`, { cause: error, code })
  switch (resultCode(error)) {
    case FULL:
      return say(
        'expected room to write, got a full disk or the size limit. Nothing of this publication was stored; make room (or lower a retention: `eddy compact`) and publish again.',
        'FULL',
      )
    case CORRUPT:
      return say(
        `expected an intact log, got damaged pages (${message}). Restore the directory from a backup, or move it away and replay the input from its source.`,
      )
    case NOTADB:
      return say('expected an Eddy log, got another kind of file. Choose another directory or move the file away.')
    case CANTOPEN:
    case READONLY:
      return say(
        `expected a readable and writable file, got "${message}". Check that the directory exists and its rights.`,
      )
    case IOERR:
      return say(
        `expected working storage, got "${message}" (SQLite's code ${(error as { errcode: number }).errcode}). Whether the last publication was stored is unknown: end the process, check the disk and start again.`,
      )
    case BUSY:
      return say('expected a free file, got one locked by another program. Stop that program and try again.')
    default:
      return say(message)
  }
}

/** A reader's next offset is not, or no more, one of the stored ones: those from `start` to `end`. */
export const notStored = (
  { topic, number }: { readonly topic: string; readonly number: number },
  offset: number,
  start: number,
  end: number,
): LogError =>
  new LogError(
    `offset of ${topic}/${number}: expected ${start} to ${end}, got ${offset}. ` +
      'Retention dropped what was to be read next, or the log is another one: `eddy skip-lost` names what is lost and lets the stages go on, as a start with --on-gap skip (log.onGap) does.',
  )
