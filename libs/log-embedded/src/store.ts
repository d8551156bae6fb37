import { existsSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { LogError, type Room, type TopicOptions } from '@eddy/log'
import { catalogueChecksum, checkCatalogue } from './catalogue.ts'
import { type BatchRow, type CheckedPartition, checkChains, missing, openBatch } from './chain.ts'
import { withPackedLength } from './compression.ts'
import { explain, isFull, notStored } from './errors.ts'
import { giveIdentity } from './identity.ts'
import type { PartitionState, StoredBatch, TopicState } from './partition-state.ts'
import { POSITION, positionOf, positionsOf } from './positions.ts'
import { keepPrivate } from './private.ts'
import { RecentBatches } from './recent-batches.ts'
import { Reserve } from './reserve.ts'
import { checkSchema, SCHEMA } from './schema.ts'
import { countPositions, putMeta, type Statement, WIPED } from './statements.ts'
import { Tip } from './tip.ts'
import { upgrade } from './upgrade.ts'
import { type Row, Writer } from './writer.ts'
import { lockForWriting } from './writer-lock.ts'

const APPLICATION_ID = 0x45444459 // "EDDY"
/** 1: batches by themselves; 2: in chains, with a catalogue that has a checksum; 3: compressed. */
const FORMAT = 3

/** The last batches of each partition whose checksums are looked at after an unclean stop; `eddy verify` looks at all. */
const CHECKED_BATCHES = 64

/** How soon it is looked again whether readers still need the write-ahead log, milliseconds. */
const BUSY_MS = 20

/** Room that the write-ahead log needs, bytes. */
const LEAST_AHEAD = 512 << 10

export interface StoreOptions {
  readonly readOnly: boolean
  readonly clock: () => number
  /** Upper limit of the database file, bytes. */
  readonly maxBytes: number | undefined
  /** whether batches are compressed; default yes */
  readonly compress?: boolean | undefined
}

/** The SQLite file of a log: opening, the catalogue of topics, reading; what is written goes through `writer`. */
export class Store {
  readonly file: string
  readonly readOnly: boolean
  readonly topics = new Map<string, TopicState>()
  readonly writer: Writer
  readonly reserve: Reserve
  readonly maxBytes: number | undefined
  readonly recent = new RecentBatches()
  readonly #database: DatabaseSync
  readonly #unlock: (() => void) | undefined
  readonly #statements = new Map<string, StatementSync>()
  /** records the log has ever been given */
  total = 0
  /** By group and partition. The writer's own: what it reads may be ahead of what it has been answered. */
  readonly #positions = new Map<string, number>()
  #seen = -1

  constructor(directory: string, { readOnly, clock, maxBytes, compress = true }: StoreOptions) {
    this.file = join(directory, 'log.sqlite')
    this.readOnly = readOnly
    this.maxBytes = maxBytes
    this.reserve = new Reserve(directory)
    this.writer = new Writer({ file: this.file, maxBytes, compress })
    try {
      if (!readOnly) {
        keepPrivate(directory)
        this.#unlock = this.#withReserve(() => lockForWriting(directory))
        if (!this.#unlock) throw new LogError(`log ${directory}: ${this.#heldBy()}`)
      } else if (!existsSync(this.file))
        throw new LogError(
          `log ${directory}: expected a log to read, got none. Check the directory, or start the writing process first (\`eddy up\`).`,
        )
      this.#database = withPackedLength(new DatabaseSync(this.file, { readOnly }))
    } catch (error) {
      this.#unlock?.()
      throw explain(error, directory)
    }
    try {
      // Read before the log, which may be written to meanwhile.
      const tip = Tip.read(this.file)
      // A reader may meet a checkpoint or the writer's recovery: it waits for those; nobody else ever writes.
      this.#database.exec('PRAGMA busy_timeout = 5000')
      if (readOnly) {
        this.#checkFormat([2, FORMAT])
        checkSchema(this.#database, this.file)
        this.refresh()
      } else
        this.#withReserve(() => {
          if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
          this.#openForWriting(clock)
        })
      this.#checkTip(tip)
    } catch (error) {
      this.#release()
      throw explain(error, this.file)
    }
  }

  /** Opening writes too, which on a full disk takes the reserve. */
  #withReserve<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (!isFull(error) || !this.reserve.release()) throw error
      try {
        return work()
      } finally {
        this.reserve.keep()
      }
    }
  }

  #openForWriting(clock: () => number): void {
    const database = this.#database
    const fresh = this.#pragma('schema_version') === 0
    if (fresh) database.exec('PRAGMA page_size = 8192')
    else this.#checkFormat([1, 2, FORMAT])
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE')
    if (fresh) {
      database.exec(SCHEMA)
      database.exec(`PRAGMA application_id = ${APPLICATION_ID}`)
      for (const { sql, values } of [
        putMeta('catalogue', catalogueChecksum([], [])),
        putMeta(WIPED, 1),
        countPositions,
      ])
        database.prepare(sql).run(...values)
    } else if (this.#pragma('user_version') === 1) upgrade(database, SCHEMA)
    // Nothing is written without need: the disk may be full.
    if (this.#pragma('user_version') !== FORMAT) database.exec(`PRAGMA user_version = ${FORMAT}`)
    if (this.meta('id') === undefined) giveIdentity(database)
    const unclean = this.statement('SELECT 1 FROM writer').get() !== undefined
    this.statement('DELETE FROM writer').run()
    this.statement('INSERT INTO writer VALUES (?, ?, ?)').run(process.pid, hostname(), clock())
    database.exec('COMMIT')
    checkSchema(database, this.file)
    // From here on this connection only reads.
    database.exec('PRAGMA query_only = ON')
    for (const { consumer_group, partition, next } of positionsOf(database, this.file))
      this.#positions.set(positionKey(consumer_group, partition), next)
    this.refresh()
    if (unclean) checkChains(database, this.file, CHECKED_BATCHES)
  }

  #checkFormat(known: readonly number[]): void {
    if (this.#pragma('application_id') !== APPLICATION_ID)
      throw new LogError(
        `log ${this.file}: expected an Eddy log, got another SQLite database. Choose another directory or move the file away.`,
      )
    const format = this.#pragma('user_version')
    if (!known.includes(format))
      throw new LogError(
        `log ${this.file}: expected format ${FORMAT}, got ${format}. ${format === 1 ? 'Any command that writes to it brings it up to date, e.g. `eddy up`.' : 'Open it with the version of Eddy that wrote it.'}`,
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

  #checkTip(tip: number | undefined): void {
    if (tip === undefined || tip <= this.total) return
    throw new LogError(
      `log ${this.file}: expected ${tip} records, which is how many it has been given, got ${this.total}: the last ones are missing. ` +
        'A copy made while the log was written to is torn (use `eddy backup`), or the write-ahead log is damaged. Restore a backup; to go on ' +
        'without what is missing, remove log.tip.',
    )
  }

  /** Reads the catalogue again if another process has committed since. @returns whether it had */
  refresh(): boolean {
    const version = this.#pragma('data_version')
    if (version === this.#seen) return false
    // As of one moment.
    this.#database.exec('BEGIN')
    try {
      this.#readCatalogue()
      this.#seen = version
    } finally {
      this.#database.exec('COMMIT')
    }
    return true
  }

  #readCatalogue(): void {
    const partitions = Map.groupBy(
      this.statement(
        'SELECT *, next AS placed FROM partition ORDER BY topic, number',
      ).all() as unknown as PartitionState[],
      partition => partition.topic,
    )
    const topics = this.statement('SELECT * FROM topic ORDER BY name').all()
    checkCatalogue(this.file, topics as never, [...partitions.values()].flat(), this.meta('catalogue'))
    for (const row of topics) {
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
    if (this.readOnly || this.total === 0)
      this.total = [...partitions.values()].flat().reduce((sum, { next }) => sum + next, 0)
  }

  /** @throws LogError naming the topics there are */
  topic(name: string): TopicState {
    const topic = this.topics.get(name)
    if (topic) return topic
    const known = [...this.topics.keys()].sort().join(', ') || 'none'
    throw new LogError(
      `topic: expected one of those that exist (${known}), got "${name}". Create it with ensureTopics.`,
      { code: 'TOPIC_MISSING' },
    )
  }

  /** Forgets what the catalogue was read at, so that the next refresh reads it. */
  forget(): void {
    this.#seen = -1
  }

  /**
   * The first batch that holds records at or after `offset`; undefined at the end.
   * @throws LogError if its bytes are damaged, or it is missing
   */
  batchFrom(partition: PartitionState, offset: number): StoredBatch | undefined {
    return this.recent.batchFrom(partition, offset) ?? this.storedFrom(partition, offset)
  }

  /** As it is in the file, where small batches have been joined. */
  storedFrom(partition: PartitionState, offset: number): StoredBatch | undefined {
    const row = this.statement(
      'SELECT partition, base, next, newest, tombstones_until, payload FROM batch WHERE partition = ? AND next > ? ORDER BY next LIMIT 1',
    ).get(partition.id, offset) as BatchRow | undefined
    if (row === undefined ? offset < partition.next : row.base > offset) this.#missing(partition, offset, row?.base)
    return row && openBatch(row, partition, this.file)
  }

  #missing(partition: PartitionState, offset: number, found: number | undefined): never {
    const start = Number(this.statement('SELECT start FROM partition WHERE id = ?').get(partition.id)?.start)
    throw start > offset
      ? notStored(partition, offset, start, partition.next)
      : missing(this.file, partition, offset, found)
  }

  /**
   * Goes through everything that is stored, as of one moment.
   * @throws LogError at the first that is damaged or missing
   */
  verify(): CheckedPartition[] {
    const database = this.#database
    database.exec('BEGIN')
    try {
      const [answer] = Object.values(this.statement('PRAGMA integrity_check(1)').get() ?? {})
      if (answer !== 'ok')
        throw new LogError(
          `log ${this.file}: expected an intact database, got "${answer}". Restore the directory from a backup.`,
        )
      const checked = checkChains(database, this.file)
      const ends = new Map(
        this.statement('SELECT id, next FROM partition')
          .all()
          .map(({ id, next }) => [id, next]),
      )
      for (const { consumer_group, partition, next } of positionsOf(database, this.file))
        if (!(next <= Number(ends.get(partition))))
          throw new LogError(
            `log ${this.file}: expected positions within the log, got ${next} of group ${consumer_group}, which is beyond the end. Restore the directory from a backup.`,
          )
      return checked
    } catch (error) {
      throw explain(error, this.file)
    } finally {
      database.exec('COMMIT')
    }
  }

  /** A transaction that makes room, or belongs to what does: on a full disk it may use the reserve. */
  clear(statements: readonly Statement[]): Promise<Row[][]> {
    return this.#clearing(
      () => this.writer.transaction(statements),
      () => this.writer.transaction(statements, undefined, true),
    )
  }

  /** Rewrites the file without its free pages; needs as much room again, and what is published meanwhile waits. */
  rewrite(): Promise<void> {
    return this.#clearing(() => this.writer.rewrite())
  }

  /** Whether nothing that was deleted is left in free pages. */
  get wiped(): boolean {
    return this.meta(WIPED) !== undefined
  }

  /**
   * Leaves nothing of what was deleted: a few pages at a time, so that publications go on. Not in free pages of a log that is not `wiped`.
   * @param goesOn asked before each step, and while a reader needs the write-ahead log
   * @returns whether it came to its end
   */
  async sweep(goesOn: () => boolean): Promise<boolean> {
    // Once more at the end: what is written meanwhile goes through the write-ahead log too.
    for (let after = 0; ; ) {
      if (!goesOn()) return false
      const { busy, next } = await this.#clearing(() => this.writer.sweep(after))
      if (busy) await delay(BUSY_MS)
      else if (next !== undefined) after = next
      else if (after === Infinity) return true
      else after = Infinity
    }
  }

  /** Empties the write-ahead log, unless somebody reads it. */
  async emptyAhead(): Promise<void> {
    await this.#clearing(() => this.writer.sweep(Infinity))
  }

  /** @param frugal what to do instead where the disk is full: zeroing what is deleted would take the reserve, and more */
  async #clearing<T>(work: () => Promise<T>, frugal?: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!isFull(error)) throw error
      const released = this.reserve.release()
      try {
        if (frugal !== undefined) return await frugal()
        if (released) return await work()
        throw error
      } finally {
        // At once, before anybody else has what is left of it.
        this.reserve.keep()
      }
    }
  }

  /** Bytes that can still be written, free pages included. */
  room(): Omit<Room, 'full'> {
    const { free, least } = this.reserve.look()
    const size = this.#pragma('page_size')
    const spare = size * this.#pragma('freelist_count')
    const { maxBytes = Infinity } = this
    const taken = size * this.#pragma('page_count')
    const within = maxBytes - taken
    const bytes = Math.max(0, Math.min(free, within)) + spare
    // Whatever is written is written to the write-ahead log first.
    const ahead = statSync(`${this.file}-wal`, { throwIfNoEntry: false })?.size ?? 0
    const writable = free + ahead
    return {
      bytes: writable < LEAST_AHEAD ? Math.min(bytes, writable) : bytes,
      least: Math.min(least, maxBytes / 20),
      taken,
      ahead,
    }
  }

  /** A value of the log as a whole. */
  meta(name: string): SQLOutputValue | undefined {
    return this.statement('SELECT value FROM meta WHERE name = ?').get(name)?.value
  }

  position(group: string, partition: PartitionState): number | undefined {
    if (!this.readOnly) return this.#positions.get(positionKey(group, partition.id))
    return positionOf(this.statement(POSITION).get(group, partition.id), this.file)
  }

  /** A position has become durable. */
  moved(group: string, partition: PartitionState, next: number): void {
    this.#positions.set(positionKey(group, partition.id), next)
  }

  /** What was to be written is, then. */
  async close(): Promise<void> {
    const { failure } = this.writer
    await this.writer.close()
    if (!this.readOnly && failure === undefined) this.#leaveClean()
    this.#release()
    if (!this.readOnly) this.reserve.keep()
  }

  /** Whoever opens the log next need not check it. */
  #leaveClean(): void {
    try {
      this.#database.exec('PRAGMA query_only = OFF; DELETE FROM writer')
    } catch {
      // A full disk: then it will be checked.
    }
  }

  #release(): void {
    this.#database.close()
    this.#unlock?.()
  }
}

const positionKey = (group: string, partition: number): string => `${partition}/${group}`
