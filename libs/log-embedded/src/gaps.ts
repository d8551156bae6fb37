import { fsyncSync, readSync, writeSync } from 'node:fs'

// Kinds of b-tree pages (https://sqlite.org/fileformat2.html#b_tree_pages).
const INDEX_INTERIOR = 2
const TABLE_INTERIOR = 5
const TABLE_LEAF = 13

/** A database file that nobody writes to meanwhile, and whose write-ahead log is empty. */
export interface DatabaseFile {
  readonly descriptor: number
  readonly pageSize: number
}

interface Page {
  readonly number: number
  readonly bytes: Buffer
  /** where its header begins: the first page has the file's before it */
  readonly header: number
}

/**
 * Zeros the unused bytes inside the pages of a b-tree. SQLite's secure_delete zeros what is deleted, but where it moves rows
 * from page to page to balance them, copies stay in what is then unused. Nobody reads those bytes, so that they can be zeroed in the file itself.
 * @param after of a table: only leaves that have rows beyond this rowid
 * @param most pages that are looked at, about
 * @returns the rowid to go on after; undefined where everything was looked at
 */
export function wipeGaps(file: DatabaseFile, root: number, after = 0, most = Infinity): number | undefined {
  let looked = 0
  let wiped = 0
  let last: number | undefined
  for (const page of pagesOf(file, root, after)) {
    wiped += wipe(file, page)
    looked++
    if (kindOf(page) !== TABLE_LEAF) continue
    last = lastRowid(page)
    if (looked >= most) break
    last = undefined
  }
  if (wiped > 0) fsyncSync(file.descriptor)
  return last
}

function* pagesOf(file: DatabaseFile, number: number, after: number): Generator<Page> {
  const page = read(file, number)
  yield page
  const kind = kindOf(page)
  if (kind !== TABLE_INTERIOR && kind !== INDEX_INTERIOR) return
  for (let i = 0; i < cellsOf(page); i++) {
    const cell = cellAt(page, i)
    if (kind === TABLE_INTERIOR && varint(page.bytes, cell + 4).value <= after) continue
    yield* pagesOf(file, page.bytes.readUInt32BE(cell), after)
  }
  yield* pagesOf(file, page.bytes.readUInt32BE(page.header + 8), after)
}

function read({ descriptor, pageSize }: DatabaseFile, number: number): Page {
  const bytes = Buffer.alloc(pageSize)
  readSync(descriptor, bytes, 0, pageSize, (number - 1) * pageSize)
  return { number, bytes, header: number === 1 ? 100 : 0 }
}

const kindOf = ({ bytes, header }: Page): number => bytes[header]!
const cellsOf = ({ bytes, header }: Page): number => bytes.readUInt16BE(header + 3)
const isInterior = (page: Page): boolean => kindOf(page) === TABLE_INTERIOR || kindOf(page) === INDEX_INTERIOR
const pointersOf = (page: Page): number => page.header + (isInterior(page) ? 12 : 8)
const cellAt = (page: Page, i: number): number => page.bytes.readUInt16BE(pointersOf(page) + 2 * i)

/** Of the last row of a table's leaf; a leaf without rows has none. */
function lastRowid(page: Page): number | undefined {
  const cells = cellsOf(page)
  if (cells === 0) return undefined
  const payload = varint(page.bytes, cellAt(page, cells - 1))
  return varint(page.bytes, payload.end).value
}

function varint(bytes: Buffer, at: number): { readonly value: number; readonly end: number } {
  let value = 0
  for (let i = 0; i < 8; i++) {
    const byte = bytes[at + i]!
    value = value * 128 + (byte & 127)
    if (byte < 128) return { value, end: at + i + 1 }
  }
  return { value: value * 256 + bytes[at + 8]!, end: at + 9 }
}

/** @returns how many bytes were something else than zero */
function wipe(file: DatabaseFile, page: Page): number {
  const { bytes, header } = page
  let wiped = 0
  const zero = (from: number, to: number): void => {
    if (from >= to || bytes.subarray(from, to).every(byte => byte === 0)) return
    wiped += writeSync(file.descriptor, Buffer.alloc(to - from), 0, to - from, (page.number - 1) * file.pageSize + from)
  }
  zero(pointersOf(page) + 2 * cellsOf(page), bytes.readUInt16BE(header + 5) || 65_536)
  // Free blocks form a list: each begins with the place of the next one and its own size.
  for (let at = bytes.readUInt16BE(header + 1); at !== 0; at = bytes.readUInt16BE(at))
    zero(at + 4, at + bytes.readUInt16BE(at + 2))
  return wiped
}
