import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { LogError } from '@eddy/log'
import { checksum } from './checksum.ts'

const COLUMNS = 'consumer_group, partition, next, checksum'

/** Selects the position of a group in a partition. */
export const POSITION = `SELECT ${COLUMNS} FROM group_position WHERE consumer_group = ? AND partition = ?`

export interface PositionRow {
  readonly consumer_group: string
  readonly partition: number
  readonly next: number
}

/** @throws LogError where one is damaged or missing */
export function positionsOf(database: DatabaseSync, file: string): PositionRow[] {
  const rows = database.prepare(`SELECT ${COLUMNS} FROM group_position`).all()
  const count = database.prepare("SELECT value FROM meta WHERE name = 'positions'").get()?.value
  if (rows.length !== count) throw damaged(file, `${count} positions of groups, got ${rows.length}`)
  for (const row of rows) positionOf(row, file)
  return rows as unknown as PositionRow[]
}

/** @throws LogError where it is damaged */
export function positionOf(row: Record<string, SQLOutputValue> | undefined, file: string): number | undefined {
  if (row === undefined) return undefined
  const { consumer_group, partition, next } = row as unknown as PositionRow
  if (checksum(consumer_group, partition, next) === row.checksum) return next
  throw damaged(file, `an intact position of group ${consumer_group}, got damaged bytes`)
}

const damaged = (file: string, what: string): LogError =>
  new LogError(`log ${file}: expected ${what}. Restore the directory from a backup.`)
