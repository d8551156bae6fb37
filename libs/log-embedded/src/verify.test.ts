import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { contents, copyLog, makeKilledLog } from './damage.fixture.ts'
import { backUpLog, openEmbeddedLog, verifyLog } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'eddy-verify-'))
const killed = join(folder, 'killed')
let log: string
let intact: unknown
beforeAll(async () => {
  await makeKilledLog(killed, join(folder, 'scratch'))
  copyLog(killed, join(folder, 'other'))
  intact = await opened(join(folder, 'other'))
})
beforeEach(() => {
  log = join(folder, 'log')
  copyLog(killed, log)
})
afterEach(() => rmSync(log, { recursive: true }))
afterAll(() => rmSync(folder, { recursive: true }))

/** Opens for writing, which ends the write-ahead log, and reads everything. */
async function opened(directory: string): Promise<unknown> {
  const open = openEmbeddedLog(directory)
  try {
    return await contents(open)
  } finally {
    await open.close()
  }
}

/** Changes the file behind the log's back; it was stopped as it should be, unless `unclean`. */
function change(sql: string, unclean = false): void {
  const database = new DatabaseSync(join(log, 'log.sqlite'))
  database.exec(sql)
  if (unclean) database.exec('INSERT INTO writer VALUES (1, 1, 1)')
  database.close()
}

function flip(file: string, find: string): void {
  const bytes = readFileSync(join(log, file))
  const at = bytes.lastIndexOf(find)
  expect(at).toBeGreaterThan(0)
  bytes[at]! ^= 4
  writeFileSync(join(log, file), bytes)
}

describe('a log that is whole', () => {
  it('is verified after kill −9, while it is written to, and when its records have been erased or compacted', async () => {
    await opened(log)
    const checked = await verifyLog(log)
    expect(checked.map(({ topic, number, next, records }) => [topic, number, next, records])).toEqual([
      ['input', 0, 200, 191],
      ['input', 1, 200, 191],
      ['output', 0, 400, 400],
      ['table', 0, 200, 59],
    ])
    const writing = openEmbeddedLog(log)
    await writing.publish([{ topic: 'output', records: [{ key: null, value: null, partition: 0 }] }])
    expect((await verifyLog(log))[2]).toMatchObject({ next: 401, records: 401 })
    await writing.close()
    expect((await verifyLog(log))[2]).toMatchObject({ next: 401 })
  })

  it('of the first format is brought up to date', async () => {
    await opened(log)
    change(`
      CREATE TABLE position (
        consumer_group TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (consumer_group, partition)
      ) WITHOUT ROWID;
      INSERT INTO position SELECT consumer_group, partition, next FROM group_position;
      DROP TABLE group_position;
      DROP TABLE meta;
      DELETE FROM batch WHERE partition = 1 AND base < 100;
      PRAGMA user_version = 1`)
    expect(() => openEmbeddedLog(log, { readOnly: true })).toThrow(/expected format 3, got 1. .*up to date/)
    const before = intact as { records: { partition: number; offset: number }[] }[]
    const [input, ...others] = (await opened(log)) as typeof before
    expect(others).toEqual(before.slice(1))
    expect(input!.records).toEqual(
      before[0]!.records.filter(({ partition, offset }) => partition === 1 || offset >= 100),
    )
    expect((await verifyLog(log))[0]).toMatchObject({ start: 0, next: 200 })
    expect(await opened(log)).toEqual([input, ...others])
  })
})

describe('what is missing or damaged', () => {
  it('a batch: noticed by who reads it, at the start after an unclean stop, by verify and by backup', async () => {
    await opened(log)
    change('DELETE FROM batch WHERE partition = 2 AND base <= 50 AND next > 50')
    await expect(opened(log)).rejects.toThrow(
      /expected a batch at offset 50 of input\/1, got the next one at 51.*missing/,
    )
    await expect(verifyLog(log)).rejects.toThrow(/input\/1.*missing/)
    await expect(backUpLog(log, join(folder, 'copy'))).rejects.toThrow(/input\/1.*missing/)
    change('', true)
    expect(() => openEmbeddedLog(log)).toThrow(/input\/1.*missing/)
  })

  it('the last batch, though the catalogue says it is there', async () => {
    await opened(log)
    change('DELETE FROM batch WHERE partition = 3 AND next = 400')
    await expect(opened(log)).rejects.toThrow(/of output\/0, got none.*missing/)
    await expect(verifyLog(log)).rejects.toThrow(/output\/0, got none/)
  })

  it('a bit of a record, in the database and in a backup of it', async () => {
    await opened(log)
    flip('log.sqlite', 'event 60')
    await expect(verifyLog(log)).rejects.toThrow(/intact batch at offset \d+ of input/)
    await expect(backUpLog(log, join(folder, 'copy'))).rejects.toThrow(/intact batch/)
    expect(() => openEmbeddedLog(join(folder, 'copy'), { readOnly: true })).toThrow(/expected a log to read/)
  })

  it('a bit of the write-ahead log, for which SQLite forgets what follows', async () => {
    flip('log.sqlite-wal', 'event 160')
    expect(() => openEmbeddedLog(log)).toThrow(/expected 1000 records.*got \d+: the last ones are missing/)
  })

  it.each([
    ['a position', 'UPDATE group_position SET next = next + 1 WHERE partition = 1', /intact position of group relay/],
    [
      'a position that is gone',
      'DELETE FROM group_position WHERE partition = 1',
      /expected 2 positions of groups, got 1/,
    ],
    [
      'the name of a topic',
      "UPDATE topic SET name = 'inpuu' WHERE name = 'input'",
      /topics and partitions that were created/,
    ],
    [
      'where a partition belongs',
      'UPDATE partition SET number = 7 WHERE id = 2',
      /topics and partitions that were created/,
    ],
    [
      'what a batch says of itself',
      'UPDATE batch SET newest = 0 WHERE partition = 1',
      /intact batch at offset \d+ of input\/0/,
    ],
    ['an index', 'DROP INDEX batch_end', /expected the tables of a log/],
  ])('%s', async (_, sql, message) => {
    await opened(log)
    change(sql)
    await expect(opened(log)).rejects.toThrow(message)
    await expect(verifyLog(log)).rejects.toThrow(message)
  })
})
