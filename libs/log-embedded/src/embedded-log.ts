import {
  type Capabilities,
  type ConsumeOptions,
  type Delivery,
  type EnsureOptions,
  type EraseOptions,
  type Erasure,
  type EventLog,
  LogError,
  type Note,
  type PartitionOffsets,
  type Publication,
  type PublishOptions,
  type Remembered,
  type StoredRecord,
  type TopicOptions,
  type TopicOutcome,
  type Upkeep,
} from '@eddy/log'
import { checkTopicOptions, outcomeOf } from '@eddy/log/adapter'
import { Observable, Subject } from 'rxjs'
import { catalogueChecksum } from './catalogue.ts'
import { Consumer } from './consumer.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { erase } from './erase.ts'
import { explain, isFull } from './errors.ts'
import { compact, retain, worthCompacting } from './maintenance.ts'
import { notesOf, putNote } from './notes.ts'
import { PublicationQueue } from './publication-queue.ts'
import { RetentionClock } from './retention-clock.ts'
import { createPartition, forgetRemembered, putMeta, putTopic, type Statement } from './statements.ts'
import { Store } from './store.ts'

/** How often a reading process looks for what the writing one has committed, milliseconds. */
const POLL_MS = 25
/** How often the writing process looks for what retention and compaction can drop, milliseconds. */
const MAINTENANCE_MS = 1_000
/** How often the file is swept of what retention and compaction have dropped, and how long readers are waited for, milliseconds. */
const SWEEP_MS = 600_000
const PATIENCE_MS = 60_000
/** How long a tombstone of a compacted topic can be seen, as Kafka's delete.retention.ms. */
const TOMBSTONE_MS = 24 * 3_600_000

export interface EmbeddedLogOptions {
  /** Opens beside the writing process and follows it live; publishing is refused. Default false. */
  readonly readOnly?: boolean
  /** Milliseconds since 1970-01-01 UTC; default Date.now. */
  readonly clock?: () => number
  /** Upper limit of the file, bytes: beyond it publishing is refused until retention has made room. */
  readonly maxBytes?: number
  /** Whether batches are compressed (zstd); those that are there stay as they are. Default true. */
  readonly compress?: boolean
  /** How long a tombstone can be seen before compaction drops it, milliseconds; default one day. */
  readonly tombstoneMs?: number
  /** Offset of a partition from which on retention keeps everything: who reads it has come so far. Default: nobody does. */
  readonly needed?: (topic: string, partition: number) => number
  /** told, once, that the clock went forward by more than is believed, and how far retention is behind it, milliseconds */
  readonly onClockAhead?: (behindMs: number) => void
}

const RETENTION_CLOCK = 'retention_clock'

export interface EmbeddedLog extends EventLog {
  /** Runs retention and compaction to their end now; they also run by themselves, a little at a time. */
  maintain(): Promise<void>
  /** Gives free pages back to the file system: needs as much room again, and what is published meanwhile waits (about a second a gigabyte). */
  shrink(): Promise<void>
  readonly capabilities: Capabilities & { readonly erasure: Erasure; readonly upkeep: Observable<Upkeep> }
}

/**
 * The log of a directory: one SQLite file in WAL mode with synchronous=FULL. One process writes, any number read.
 * @throws LogError when another process writes, when there is nothing to read, or when the file is damaged or foreign
 */
export function openEmbeddedLog(directory: string, options: EmbeddedLogOptions = {}): EmbeddedLog {
  return new SqliteLog(directory, options)
}

class SqliteLog implements EmbeddedLog {
  readonly capabilities: EmbeddedLog['capabilities']
  readonly #store: Store
  readonly #options: EmbeddedLogOptions
  readonly #clock: RetentionClock
  readonly #upkeep = new Subject<Upkeep>()
  readonly #queue: PublicationQueue
  readonly #consumers = new Set<Consumer>()
  readonly #groups = new Map<string, ConsumerGroup>()
  readonly #timer: NodeJS.Timeout
  /** told, once, that a position has moved or a consumer has gone */
  readonly #moved: (() => void)[] = []
  /** whether retention or compaction has dropped something since the last sweep, and when that was */
  #droppings = false
  #swept = -Infinity
  /** ends when whoever rewrites batches is done; one at a time does */
  #rewriting: Promise<unknown> = Promise.resolve()
  #altering: Promise<unknown> = Promise.resolve()
  #housekeeping = false
  #clockTold = false
  #closed = false

  constructor(directory: string, options: EmbeddedLogOptions) {
    const { readOnly = false, clock = Date.now, maxBytes, compress } = options
    this.capabilities = {
      pipelined: true,
      ahead: !readOnly,
      erasure: {
        erase: (topic, matches, options) => this.#erase(topic, matches, options),
        passed: (topic, group) => this.#passed(topic, group),
        scrub: () => this.#scrub(),
        note: (name, text) => this.#note(name, text),
        notes: prefix => this.#notes(prefix),
      },
      memory: { find: key => this.#find(key) },
      room: async () => ({ ...this.#store.room(), full: this.#queue.waitsForRoom }),
      identity: async () => this.#identity(),
      upkeep: this.#upkeep.asObservable(),
    }
    this.#options = options
    this.#store = new Store(directory, { readOnly, clock, maxBytes, compress })
    if (!readOnly) this.#store.reserve.takeWhereShort()
    const remembered = readOnly ? undefined : (this.#store.meta(RETENTION_CLOCK) as number | undefined)
    this.#clock = new RetentionClock({ clock, monotonic: () => performance.now(), remembered })
    this.#queue = new PublicationQueue({
      store: this.#store,
      clock,
      onMoved: () => this.#wake(),
      onCommitted: seconds => this.#upkeep.next({ kind: 'committed', seconds }),
      onRollback: (error, lost) => {
        for (const consumer of [...this.#consumers]) consumer.rolledBack(error, lost)
      },
      hasTaken: partitions => [...this.#consumers].some(consumer => consumer.hasTaken(partitions)),
    })
    // The timer holds the process up only while somebody consumes.
    this.#timer = readOnly
      ? setInterval(() => this.#follow(), POLL_MS).unref()
      : setInterval(() => this.#housekeep(), MAINTENANCE_MS).unref()
  }

  async ensureTopics(
    topics: Readonly<Record<string, TopicOptions>>,
    options: EnsureOptions = {},
  ): Promise<readonly TopicOutcome[]> {
    this.#check('write')
    if (options.replicas !== undefined && options.replicas !== 1)
      throw new LogError(`replicas: expected 1 of the embedded log, which is on one disk, got ${options.replicas}.`)
    if (options.settings !== undefined)
      throw new LogError('settings: expected none for topics of the embedded log, got some.')
    // One call after another: two may create the same topic.
    const altering = this.#altering.then(() => this.#alter(topics, options))
    this.#altering = altering.then(
      () => {},
      () => {},
    )
    return altering
  }

  async #alter(
    topics: Readonly<Record<string, TopicOptions>>,
    { alter = false, dryRun = false }: EnsureOptions,
  ): Promise<readonly TopicOutcome[]> {
    const outcomes: TopicOutcome[] = []
    const statements: Statement[] = []
    const known = [...this.#store.topics.values()]
    const all = known.map(({ name, options }) => ({ name, ...options }))
    const partitions = known.flatMap(({ partitions }) =>
      partitions.map(({ id, topic, number }) => ({ id, topic, number })),
    )
    for (const [name, options] of Object.entries(topics)) {
      const existing = this.#store.topics.get(name)?.options
      checkTopicOptions(name, options, existing)
      const outcome = outcomeOf(name, options, existing, alter)
      outcomes.push(outcome)
      if (!existing) {
        statements.push(putTopic(name, options))
        all.push({ name, ...options })
        for (let number = 0; number < options.partitions; number++) {
          const id = 1 + Math.max(0, ...partitions.map(partition => partition.id))
          statements.push(createPartition(id, name, number))
          partitions.push({ id, topic: name, number })
        }
        statements.push(putMeta('catalogue', catalogueChecksum(all, partitions)))
      } else if (outcome.done === 'altered') statements.push(putTopic(name, { ...existing, ...options }))
    }
    if (statements.length === 0 || dryRun) return outcomes
    await this.#guard(async () => {
      // A lower retention is how room is made.
      await this.#store.clear(statements)
      this.#store.forget()
      this.#store.refresh()
    })
    return outcomes
  }

  consume(topic: string, options: ConsumeOptions = {}): Observable<Delivery> {
    return new Observable(subscriber => {
      let consumer: Consumer
      try {
        this.#check('read')
        const state = this.#store.topic(topic)
        consumer = new Consumer(this.#store, state, options, this.#group(topic, options.group), this.#queue, subscriber)
      } catch (error) {
        subscriber.error(error)
        return
      }
      this.#consumers.add(consumer)
      this.#timer.ref()
      subscriber.add(() => {
        consumer.abandon()
        this.#consumers.delete(consumer)
        if (this.#consumers.size === 0) this.#timer.unref()
        this.#tellMoved()
      })
      consumer.start()
    })
  }

  async publish(publications: readonly Publication[], options: PublishOptions = {}): Promise<number[][]> {
    this.#check('write')
    return this.#queue.publish(publications, options)
  }

  async offsets(topic: string): Promise<readonly PartitionOffsets[]> {
    this.#check('read')
    return this.#store
      .topic(topic)
      .partitions.map(({ number, start, next }) => ({ partition: number, start, end: next }))
  }

  async positions(topic: string, group: string): Promise<ReadonlyMap<number, number>> {
    this.#check('read')
    const positions = new Map<number, number>()
    for (const partition of this.#store.topic(topic).partitions) {
      const position = this.#store.position(group, partition)
      if (position !== undefined) positions.set(partition.number, position)
    }
    return positions
  }

  async maintain(): Promise<void> {
    this.#check('write')
    await this.#alone(async () => {
      for await (const _ of this.#maintain(true)) this.#check('write')
      await this.#sweepDroppings()
    })
  }

  async #find(key: string): Promise<Remembered | undefined> {
    this.#check('read')
    const { clock = Date.now } = this.#options
    const row = this.#store
      .statement('SELECT fingerprint, answer FROM remembered WHERE key = ? AND until > ?')
      .get(key, clock())
    return row && { fingerprint: String(row.fingerprint), answer: String(row.answer) }
  }

  #identity(): string {
    this.#check('read')
    const id = this.#store.meta('id')
    if (typeof id === 'string') return id
    throw new LogError(
      'log: expected its id, got none: an earlier version wrote it. Open it for writing once, e.g. with `eddy up`.',
    )
  }

  async #erase(topic: string, matches: (record: StoredRecord) => boolean, options: EraseOptions = {}): Promise<number> {
    this.#check('write')
    const { partitions } = this.#store.topic(topic)
    // What has its place already is erased too.
    await this.#queue.settled()
    return this.#alone(async () => {
      let erased = 0
      for (const partition of partitions) {
        const steps = erase(this.#store, partition, matches, options, erased)
        for (;;) {
          const step = await steps.next()
          if (step.done === true) {
            erased += step.value
            if (step.value > 0) for (const consumer of this.#consumers) consumer.forget(partition)
            break
          }
          // Between batches everybody else gets a turn.
          await new Promise(resolve => setImmediate(resolve))
          this.#check('write')
        }
      }
      return erased
    })
  }

  async #passed(topic: string, group: string): Promise<void> {
    this.#check('write')
    const state = this.#store.topic(topic)
    const members = [...this.#consumers].filter(consumer => consumer.isOf(state, group))
    const handed = members.map(member => [member, member.handed] as const)
    const isDone = (): boolean =>
      handed.every(
        ([member, ends]) =>
          !this.#consumers.has(member) ||
          ends.every(([partition, end]) => (this.#store.position(group, partition) ?? 0) >= end),
      )
    while (!isDone()) {
      await new Promise<void>(resolve => this.#moved.push(resolve))
      this.#check('write')
    }
  }

  /** In a log that was written before deleted bytes were zeroed, or on a full disk, only a rewrite reaches them. */
  async #scrub(): Promise<void> {
    this.#check('write')
    await this.#alone(async () => {
      if (!this.#store.wiped) await this.#store.rewrite()
      await this.#store.sweep(() => !this.#closed)
      this.#check('write')
    })
  }

  async shrink(): Promise<void> {
    this.#check('write')
    await this.#alone(() => this.#store.rewrite())
  }

  async #note(name: string, text: string | undefined): Promise<void> {
    this.#check('write')
    await this.#guard(() => this.#store.clear([putNote(name, text)]))
  }

  async #notes(prefix: string): Promise<readonly Note[]> {
    this.#check('read')
    return notesOf(this.#store, prefix)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#timer)
    for (const consumer of [...this.#consumers]) consumer.close()
    this.#tellMoved()
    this.#queue.close()
    await this.#queue.settled()
    await Promise.all([this.#rewriting, this.#altering])
    await this.#store.close()
    this.#upkeep.complete()
  }

  #check(access: 'read' | 'write'): void {
    if (this.#closed)
      throw new LogError(`log ${this.#store.file}: expected an open log, got a closed one. Open it again.`)
    if (access === 'write' && this.#store.readOnly)
      throw new LogError(`log ${this.#store.file}: expected a log open for writing, got a read-only one.`)
    if (!this.#store.readOnly) return
    try {
      this.#store.refresh()
    } catch (error) {
      throw explain(error, this.#store.file)
    }
  }

  async #guard<T>(body: () => Promise<T>): Promise<T> {
    try {
      return await body()
    } catch (error) {
      throw explain(error, this.#store.file)
    }
  }

  /** Runs what rewrites stored batches when nobody else does. */
  #alone<T>(body: () => Promise<T>): Promise<T> {
    const work = this.#rewriting.then(() => this.#guard(body))
    this.#rewriting = work.catch(() => {})
    return work
  }

  #group(topic: string, group: string | undefined): ConsumerGroup {
    const partitions = this.#store.topic(topic).partitions.length
    if (group === undefined) return new ConsumerGroup(partitions)
    const name = JSON.stringify([topic, group])
    const shared = this.#groups.get(name) ?? new ConsumerGroup(partitions)
    this.#groups.set(name, shared)
    return shared
  }

  #wake(): void {
    this.#tellMoved()
    for (const consumer of this.#consumers) if (consumer.hasNews) consumer.wake()
  }

  /** Those who wait for a group look again. */
  #tellMoved(): void {
    for (const look of this.#moved.splice(0)) look()
  }

  #follow(): void {
    if (this.#consumers.size === 0) return
    try {
      if (this.#store.refresh()) this.#wake()
    } catch (error) {
      for (const consumer of [...this.#consumers]) consumer.fail(error)
    }
  }

  /** Does a round of maintenance if none runs. A failure (a full disk, say) leaves the work for the next round. */
  async #housekeep(): Promise<void> {
    if (this.#housekeeping) return
    this.#housekeeping = true
    try {
      this.#store.reserve.take()
      await this.#alone(async () => {
        for await (const _ of this.#maintain(false)) {
          if (this.#closed) break
          await new Promise(resolve => setImmediate(resolve))
        }
        if (this.#droppings && !this.#closed) await this.#store.emptyAhead()
        if (performance.now() - this.#swept > SWEEP_MS) await this.#sweepDroppings()
      })
    } catch {
      // Publishing meets the same failure, and says so to somebody.
    }
    this.#housekeeping = false
  }

  #tellClock(): void {
    const { onClockAhead } = this.#options
    const { behind } = this.#clock
    if (behind > 0 && !this.#clockTold) onClockAhead?.(behind)
    this.#clockTold = behind > 0
  }

  /** What retention and compaction dropped leaves the files too. A reader of the write-ahead log is waited for the next time. */
  async #sweepDroppings(): Promise<void> {
    if (!this.#droppings) return
    this.#swept = performance.now()
    const deadline = this.#swept + PATIENCE_MS
    try {
      this.#droppings = !(await this.#store.sweep(() => !this.#closed && performance.now() < deadline))
    } catch (error) {
      // Once there is room.
      if (!isFull(error)) throw error
    }
  }

  async *#maintain(all: boolean): AsyncGenerator<void> {
    const { tombstoneMs = TOMBSTONE_MS, needed = () => Infinity } = this.#options
    const now = this.#clock.now()
    this.#tellClock()
    const limit = this.#clock.toRemember()
    if (limit !== undefined) await this.#store.clear([putMeta(RETENTION_CLOCK, limit)])
    if (this.#store.statement('SELECT 1 FROM remembered WHERE until <= ? LIMIT 1').get(now))
      await this.#store.clear([forgetRemembered(now)])
    for (const { name, options, partitions } of [...this.#store.topics.values()])
      for (const partition of partitions) {
        if (options.cleanup === 'delete') {
          const dropped = yield* retain(this.#store, partition, options, now, needed(name, partition.number))
          if (dropped === undefined) continue
          this.#droppings = true
          this.#upkeep.next({ kind: 'dropped', ...dropped })
        } else if (all || worthCompacting(this.#store, partition, now)) {
          this.#droppings = true
          yield* compact(this.#store, partition, now, tombstoneMs)
        }
      }
  }
}
