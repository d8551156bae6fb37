import { randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { putMeta } from './statements.ts'

/** Makes what is in the file a log of its own: offsets of the one it was copied from, or that was here before, are not of this one. */
export function giveIdentity(database: DatabaseSync): void {
  const { sql, values } = putMeta('id', randomUUID())
  database.prepare(sql).run(...values)
}
