import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import { wipeGaps } from './gaps.ts'

const folder = mkdtempSync(join(tmpdir(), 'eddy-gaps-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Linear congruential (Numerical Recipes): the same rows each time. */
const random = (seed: number) => () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed / 2 ** 32
}

/** A table most of whose rows have gone, with secure_delete. @returns the marks of those that are gone */
function worn(file: string, columns: string): { readonly database: DatabaseSync; readonly gone: readonly string[] } {
  const database = new DatabaseSync(file)
  database.exec(`PRAGMA page_size = 1024; PRAGMA secure_delete = ON; CREATE TABLE t (${columns}; BEGIN`)
  const next = random(8)
  const insert = database.prepare('INSERT INTO t (key, value) VALUES (?, ?)')
  const remove = database.prepare('DELETE FROM t WHERE key = ?')
  const live = new Set<number>()
  const gone: string[] = []
  for (let key = 1; key <= 4000; key++) {
    insert.run(key, `<${key}>`.repeat(1 + Math.floor(150 * next() ** 2)))
    live.add(key)
    if (key % 200 !== 0) continue
    for (const old of live) {
      if (next() >= 0.4) continue
      remove.run(old)
      live.delete(old)
      gone.push(`<${old}>`)
    }
    database.exec('COMMIT; BEGIN')
  }
  database.exec('COMMIT')
  return { database, gone }
}

describe('wipeGaps', () => {
  it.each(['key INTEGER PRIMARY KEY, value TEXT)', 'key, value TEXT, PRIMARY KEY (key, value)) WITHOUT ROWID'])(
    'zeros copies of rows that secure_delete leaves, and nothing else: %s',
    columns => {
      const file = join(folder, `${columns.length}.sqlite`)
      const { database, gone } = worn(file, columns)
      const rows = database.prepare('SELECT * FROM t ORDER BY key').all()
      const left = () => {
        const bytes = readFileSync(file)
        return gone.filter(mark => bytes.includes(mark)).length
      }
      expect(left()).toBeGreaterThan(0)
      const root = Number(database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 't'").get()?.rootpage)
      const descriptor = openSync(file, 'r+')
      let steps = 0
      for (let after: number | undefined = 0; after !== undefined; steps++)
        after = wipeGaps({ descriptor, pageSize: 1024 }, root, after, 16)
      closeSync(descriptor)
      expect(left()).toBe(0)
      database.close()
      const again = new DatabaseSync(file)
      expect(again.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
      expect(again.prepare('SELECT * FROM t ORDER BY key').all()).toEqual(rows)
      again.close()
      expect(steps > 1).toBe(columns.startsWith('key INTEGER'))
    },
  )
})
