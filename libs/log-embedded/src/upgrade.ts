import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { packRecords, seal } from '@eddy/log/adapter'
import { catalogueChecksum } from './catalogue.ts'
import { type BatchRow, openBatch } from './chain.ts'
import { checksum } from './checksum.ts'
import { countPositions, insertBatch, putMeta, putPosition, type Statement } from './statements.ts'

/**
 * Makes a log of the first format one of the second, within the transaction that is open: batches cover what was erased or compacted away
 * before them, positions and the catalogue have checksums. What is missing already cannot be told from what was erased.
 */
export function upgrade(database: DatabaseSync, schema: string): void {
  const run = ({ sql, values }: Statement): void => void database.prepare(sql).run(...(values as SQLInputValue[]))
  database.exec('DROP TABLE IF EXISTS meta')
  const known = database.prepare('SELECT name FROM sqlite_schema').all()
  for (const statement of schema.split(';')) {
    const name = /CREATE (?:UNIQUE )?(?:TABLE|INDEX) (\w+)/.exec(statement)?.[1]
    if (name !== undefined && known.every(each => each.name !== name)) database.exec(statement)
  }
  for (const { consumer_group, partition, next } of database.prepare('SELECT * FROM position').all())
    run(putPosition(String(consumer_group), Number(partition), Number(next)))
  database.exec('DROP TABLE position')
  run(countPositions)
  const topics = database.prepare('SELECT * FROM topic ORDER BY name').all()
  const partitions = database.prepare('SELECT * FROM partition ORDER BY topic, number').all() as never
  run(putMeta('catalogue', catalogueChecksum(topics as never, partitions)))
  for (const { id, start, next, topic, number } of partitions as Iterable<Record<string, number> & { topic: string }>)
    cover(database, { id, topic, number } as never, start as number, next as number)
}

/** Lets each batch of a partition begin where the one before it ends. */
function cover(
  database: DatabaseSync,
  place: { readonly id: number; readonly topic: string; readonly number: number },
  start: number,
  next: number,
): void {
  const file = String(database.location() ?? '')
  const ends = database.prepare('SELECT rowid, base, next FROM batch WHERE partition = ? ORDER BY next').all(place.id)
  const read = database.prepare('SELECT * FROM batch WHERE rowid = ?')
  const write = database.prepare('UPDATE batch SET base = ?, payload = ? WHERE rowid = ?')
  let end = start
  for (const { rowid, base, next } of ends) {
    if (base !== end) {
      const row = read.get(rowid!) as unknown as BatchRow
      const { records } = openBatch(row, place, file)
      const kept = Array.from({ length: records.count }, (_, i) => records.recordAt(i))
      const payload = packRecords(end, kept, { offsets: kept.map(({ offset }) => offset) })
      write.run(end, seal(payload, checksum(place.id, end, row.next, row.newest, row.tombstones_until)), rowid!)
    }
    end = next as number
  }
  if (end === next) return
  const marker = insertBatch(place.id, {
    base: end,
    next,
    newest: 0,
    tombstonesUntil: null,
    payload: packRecords(end, []),
  })
  seal(marker.values.at(-1) as Uint8Array, checksum(...marker.values.slice(0, -1)))
  database.prepare(marker.sql).run(...(marker.values as SQLInputValue[]))
}
