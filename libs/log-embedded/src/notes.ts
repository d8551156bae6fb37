import type { Note } from '@eddy/log'
import { deleteMeta, putMeta, type Statement } from './statements.ts'
import type { Store } from './store.ts'

/** Notes are values of the log as a whole, whose names begin so. */
const PREFIX = 'note:'

export const putNote = (name: string, text: string | undefined): Statement =>
  text === undefined ? deleteMeta(PREFIX + name) : putMeta(PREFIX + name, text)

export function notesOf(store: Store, prefix: string): Note[] {
  const begin = PREFIX + prefix
  return store
    .statement('SELECT name, value FROM meta WHERE substr(name, 1, ?) = ? ORDER BY name')
    .all(begin.length, begin)
    .map(({ name, value }) => [String(name).slice(PREFIX.length), String(value)])
}
