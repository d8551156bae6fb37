import { DatabaseSync } from 'node:sqlite'
import { LogError } from '@eddy/log'

/** What the file of a log holds, statement by statement. */
export const SCHEMA = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
  CREATE TABLE writer (pid INTEGER, host TEXT, since INTEGER);
  CREATE TABLE topic (
    name TEXT PRIMARY KEY, partitions INTEGER NOT NULL, cleanup TEXT NOT NULL, retention_ms INTEGER, retention_bytes INTEGER
  ) WITHOUT ROWID;
  CREATE TABLE partition (
    id INTEGER PRIMARY KEY, topic TEXT NOT NULL, number INTEGER NOT NULL,
    start INTEGER NOT NULL,     -- offset of the oldest record retention has left
    next INTEGER NOT NULL,      -- offset of the next record
    bytes INTEGER NOT NULL,     -- sum of payload lengths
    compacted INTEGER NOT NULL, -- below this offset every key is there once
    dirty INTEGER NOT NULL,     -- sum of payload lengths from that offset on
    UNIQUE (topic, number)
  );
  CREATE TABLE batch (        -- each begins where the one before it ends, also where its records have been erased
    partition INTEGER NOT NULL, base INTEGER NOT NULL, next INTEGER NOT NULL, newest INTEGER NOT NULL,
    tombstones_until INTEGER,   -- set when compaction first meets a tombstone here: when it may go
    payload BLOB NOT NULL
  );
  CREATE UNIQUE INDEX batch_end ON batch (partition, next);
  CREATE INDEX batch_tombstones ON batch (partition, tombstones_until) WHERE tombstones_until IS NOT NULL;
  CREATE TABLE remembered (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, answer TEXT NOT NULL, until INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX remembered_until ON remembered (until);
  CREATE TABLE group_position (
    consumer_group TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL, checksum INTEGER NOT NULL,
    PRIMARY KEY (consumer_group, partition)
  ) WITHOUT ROWID;
`

/** @throws LogError where the file's tables are others */
export function checkSchema(database: DatabaseSync, file: string): void {
  expected ??= statementsOf(created())
  if (statementsOf(database) !== expected)
    throw new LogError(
      `log ${file}: expected the tables of a log, got others: the file is damaged. Restore the directory from a backup.`,
    )
}

let expected: string | undefined

function created(): DatabaseSync {
  const database = new DatabaseSync(':memory:')
  database.exec(SCHEMA)
  return database
}

const statementsOf = (database: DatabaseSync): string =>
  JSON.stringify(database.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name').all())
