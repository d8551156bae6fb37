import { existsSync, mkdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { LogError, type TopicOptions } from '@eddy/log'
import { PackedRecords } from '@eddy/log/adapter'
import { explain } from './errors.ts'
import { RecentBatches } from './recent-batches.ts'
import { Writer } from './writer.ts'
import { lockForWriting } from './writer-lock.ts'

const APPLICATION_ID = 0x45444459 // "EDDY"
const FORMAT = 1

const SCHEMA = `
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
  CREATE TABLE batch (
    partition INTEGER NOT NULL, base INTEGER NOT NULL, next INTEGER NOT NULL, newest INTEGER NOT NULL,
    tombstones_until INTEGER,   -- set when compaction first meets a tombstone here: when it may go
    payload BLOB NOT NULL
  );
  CREATE UNIQUE INDEX batch_end ON batch (partition, next);
  CREATE INDEX batch_tombstones ON batch (partition, tombstones_until) WHERE tombstones_until IS NOT NULL;
  CREATE TABLE position (
    consumer_group TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (consumer_group, partition)
  ) WITHOUT ROWID;
`

/** A partition as the catalogue knows it. Only the writer changes it and, but for `placed`, only after the commit that made it true. */
export interface PartitionState {
  readonly id: number
  readonly topic: string
  readonly number: number
  start: number
  /** offset of the next record to become durable */
  next: number
  /** offset the next record will get: from `next` to here they have their place and are not durable yet */
  placed: number
  /** where each loss began: records from there on that had their place, and lost it */
  losses: readonly number[]
  bytes: number
  compacted: number
  dirty: number
}

/** A stored batch of a partition. */
export interface StoredBatch {
  readonly records: PackedRecords
  /** Offset after the batch: no other batch holds an offset below. */
  readonly next: number
  readonly tombstonesUntil: number | null
}

export interface TopicState {
  readonly name: string
  options: TopicOptions
  readonly partitions: readonly PartitionState[]
}

export interface StoreOptions {
  readonly readOnly: boolean
  readonly clock: () => number
  /** Upper limit of the database file, bytes. */
  readonly maxBytes: number | undefined
}

/** The SQLite file of a log: opening, the catalogue of topics, reading; what is written goes through `writer`. */
export class Store {
  readonly file: string
  readonly readOnly: boolean
  readonly topics = new Map<string, TopicState>()
  readonly writer: Writer
  readonly recent = new RecentBatches()
  readonly #database: DatabaseSync
  readonly #unlock: (() => void) | undefined
  readonly #statements = new Map<string, StatementSync>()
  /** By group and partition. The writer's own: what it reads may be ahead of what it has been answered. */
  readonly #positions = new Map<string, number>()
  #seen = -1

  constructor(directory: string, { readOnly, clock, maxBytes }: StoreOptions) {
    this.file = join(directory, 'log.sqlite')
    this.readOnly = readOnly
    this.writer = new Writer({ file: this.file, maxBytes })
    try {
      if (!readOnly) {
        mkdirSync(directory, { recursive: true })
        this.#unlock = lockForWriting(directory)
        if (!this.#unlock) throw new LogError(`log ${directory}: ${this.#heldBy()}`)
      } else if (!existsSync(this.file))
        throw new LogError(
          `log ${directory}: expected a log to read, got none. Check the directory, or start the writing process first (\`eddy up\`).`,
        )
      this.#database = new DatabaseSync(this.file, { readOnly })
    } catch (error) {
      this.#unlock?.()
      throw explain(error, directory)
    }
    try {
      // A reader may meet a checkpoint or the writer's recovery: it waits for those; nobody else ever writes.
      this.#database.exec('PRAGMA busy_timeout = 5000')
      if (readOnly) this.#checkFormat()
      else this.#openForWriting(clock)
      this.refresh()
    } catch (error) {
      this.#release()
      throw explain(error, this.file)
    }
  }

  #openForWriting(clock: () => number): void {
    const database = this.#database
    const fresh = this.#pragma('schema_version') === 0
    if (fresh) database.exec('PRAGMA page_size = 8192')
    else this.#checkFormat()
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE')
    if (fresh) {
      database.exec(SCHEMA)
      database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT}`)
    }
    database.exec('CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID')
    this.statement('DELETE FROM writer').run()
    this.statement('INSERT INTO writer VALUES (?, ?, ?)').run(process.pid, hostname(), clock())
    for (const { consumer_group, partition, next } of this.statement('SELECT * FROM position').all())
      this.#positions.set(positionKey(String(consumer_group), Number(partition)), Number(next))
    // From here on this connection only reads.
    database.exec('COMMIT; PRAGMA query_only = ON')
  }

  #checkFormat(): void {
    if (this.#pragma('application_id') !== APPLICATION_ID)
      throw new LogError(
        `log ${this.file}: expected an Eddy log, got another SQLite database. Choose another directory or move the file away.`,
      )
    const format = this.#pragma('user_version')
    if (format !== FORMAT)
      throw new LogError(
        `log ${this.file}: expected format ${FORMAT}, got ${format}. Open it with the version of Eddy that wrote it.`,
      )
  }

  #heldBy(): string {
    let holder = 'another process'
    try {
      const database = new DatabaseSync(this.file, { readOnly: true })
      const row = database.prepare('SELECT pid, host, since FROM writer').get()
      database.close()
      if (row) holder = `process ${row.pid} on ${row.host} (since ${new Date(Number(row.since)).toISOString()})`
    } catch {
      // The holder has not finished creating the file: it stays unnamed.
    }
    return `expected to be the only writing process, got one held by ${holder}. Stop it, choose another directory, or open this one read-only.`
  }

  #pragma(name: string): number {
    return Number(Object.values(this.#database.prepare(`PRAGMA ${name}`).get() ?? {})[0])
  }

  /** A prepared statement, prepared once. */
  statement(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  /** Reads the catalogue again if another process has committed since. @returns whether it had */
  refresh(): boolean {
    const version = this.#pragma('data_version')
    if (version === this.#seen) return false
    this.#seen = version
    const partitions = Map.groupBy(
      this.statement(
        'SELECT *, next AS placed FROM partition ORDER BY topic, number',
      ).all() as unknown as PartitionState[],
      partition => partition.topic,
    )
    for (const row of this.statement('SELECT * FROM topic').all()) {
      const name = String(row.name)
      const options: TopicOptions = {
        partitions: Number(row.partitions),
        cleanup: row.cleanup as TopicOptions['cleanup'],
        ...(row.retention_ms !== null && { retentionMs: Number(row.retention_ms) }),
        ...(row.retention_bytes !== null && { retentionBytes: Number(row.retention_bytes) }),
      }
      const known = this.topics.get(name)
      if (known) {
        known.options = options
        // Consumers hold these objects: change them in place. A writer's own are ahead of what it reads.
        if (this.readOnly)
          for (const [i, state] of known.partitions.entries()) Object.assign(state, partitions.get(name)![i])
      } else
        this.topics.set(name, {
          name,
          options,
          partitions: (partitions.get(name) ?? []).map(state => ({ ...state, losses: [] })),
        })
    }
    return true
  }

  /** @throws LogError naming the topics there are */
  topic(name: string): TopicState {
    const topic = this.topics.get(name)
    if (topic) return topic
    const known = [...this.topics.keys()].sort().join(', ') || 'none'
    throw new LogError(
      `topic: expected one of those that exist (${known}), got "${name}". Create it with ensureTopics.`,
    )
  }

  /** Forgets what the catalogue was read at, so that the next refresh reads it. */
  forget(): void {
    this.#seen = -1
  }

  /** The first batch that holds records at or after `offset`. @throws LogError if its bytes are damaged */
  batchFrom(partition: PartitionState, offset: number): StoredBatch | undefined {
    const recent = this.recent.batchFrom(partition, offset)
    if (recent) return recent
    const row = this.statement(
      'SELECT base, next, tombstones_until, payload FROM batch WHERE partition = ? AND next > ? ORDER BY next LIMIT 1',
    ).get(partition.id, offset)
    if (!row) return undefined
    try {
      return {
        records: PackedRecords.open(row.base as number, row.payload as Uint8Array),
        next: row.next as number,
        tombstonesUntil: row.tombstones_until as number | null,
      }
    } catch (error) {
      throw new LogError(
        `log ${this.file}: expected an intact batch at offset ${row.base} of ${partition.topic}/${partition.number}, got damaged bytes. Restore the directory from a backup, or move it away and replay the input.`,
        { cause: error },
      )
    }
  }

  /** A value of the log as a whole. */
  meta(name: string): SQLOutputValue | undefined {
    return this.statement('SELECT value FROM meta WHERE name = ?').get(name)?.value
  }

  position(group: string, partition: PartitionState): number | undefined {
    if (!this.readOnly) return this.#positions.get(positionKey(group, partition.id))
    const row = this.statement('SELECT next FROM position WHERE consumer_group = ? AND partition = ?').get(
      group,
      partition.id,
    )
    return row?.next as number | undefined
  }

  /** A position has become durable. */
  moved(group: string, partition: PartitionState, next: number): void {
    this.#positions.set(positionKey(group, partition.id), next)
  }

  /** What was to be written is, then. */
  async close(): Promise<void> {
    await this.writer.close()
    this.#release()
  }

  #release(): void {
    this.#database.close()
    this.#unlock?.()
  }
}

const positionKey = (group: string, partition: number): string => `${partition}/${group}`
