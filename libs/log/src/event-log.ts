import type { Observable } from 'rxjs'

/**
 * A record to be appended. `partition` names where; otherwise the hash of `key` does (murmur2, as Kafka's producers);
 * keyless records need `partition`. Its bytes must not be changed until the publication has resolved.
 */
export interface OutgoingRecord {
  readonly key: Uint8Array | null
  /** null is a tombstone: on a compacted topic it deletes its key. */
  readonly value: Uint8Array | null
  readonly headers?: Readonly<Record<string, Uint8Array>>
  /** milliseconds since 1970-01-01 UTC; the adapter's clock if absent */
  readonly timestamp?: number
  readonly partition?: number
}

/** A record as read. Its bytes are views that stay valid until the delivery is acknowledged; copy to keep. */
export interface StoredRecord {
  readonly offset: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Readonly<Record<string, Uint8Array>>
  readonly timestamp: number
}

/** One or more consecutive records of one partition, by offset. Offsets ascend but may have gaps (compaction, markers). */
export interface Delivery {
  readonly topic: string
  readonly partition: number
  readonly records: readonly StoredRecord[]
  /** Offset to go on from after this delivery; ≥ last record's offset + 1. */
  readonly nextOffset: number
  /** End of the partition when this delivery was read: `endOffset − nextOffset` is the lag. */
  readonly endOffset: number
  /**
   * Done with this delivery: its memory may be reused and the partition's next one is handed out. Idempotent.
   * Does not commit the group's position: `publish(…, {settles})` does, together with the records; so settle, then ack.
   */
  ack(): void
}

/** Where a consumer without a position, or told to ignore it, begins. A map gives an offset a partition. */
export type From = 'position' | 'earliest' | 'latest' | ReadonlyMap<number, number>

export interface ConsumeOptions {
  /** Members of one group share the partitions; each group reads everything. Without a group: all partitions, no position. */
  readonly group?: string
  /**
   * `position` (default with a group): the group's committed position, `earliest` where it has none; without a group
   * the default is `earliest`. A partition that a map does not name starts as if no map were given.
   * A function is asked at each assignment, with the new partitions, e.g. to start from a ledger.
   * An offset that is no longer stored, or lies beyond the end, errors the stream: records are never skipped silently.
   */
  readonly from?: From | ((partitions: readonly number[]) => Promise<From>)
  /**
   * Hand records out as soon as they have their place in the log, before they are durable. Only for who has no effect but
   * publications to the same log: those become durable after the records or not at all, and the stream errors if the records are
   * lost. A log that cannot do it (`capabilities.ahead`), e.g. one shared with other processes, hands out durable records. Default false.
   */
  readonly ahead?: boolean
  /** Most records in one delivery, default 1024. */
  readonly maxRecords?: number
  /** Ends the stream: no more deliveries; completes when the outstanding ones are acknowledged. */
  readonly signal?: AbortSignal
  /** Complete when everything up to the end offsets seen at the start is acknowledged, instead of waiting for more. */
  readonly untilEnd?: boolean
  /** Told this member's partitions once it has joined, perhaps none, and when they change; before the first delivery of a new one. */
  readonly onAssignment?: (partitions: readonly number[]) => void
}

export interface Publication {
  readonly topic: string
  readonly records: readonly OutgoingRecord[]
}

export interface PublishOptions {
  /**
   * Commit these deliveries' positions for `group` in the same atomic step as the records. All of one partition of one
   * topic (a transaction is fenced by the partition it reads). Pass the deliveries themselves: one whose partition has
   * been given to another member since is refused, so that a zombie cannot publish.
   */
  readonly settles?: {
    readonly group: string
    readonly deliveries: readonly Pick<Delivery, 'topic' | 'partition' | 'nextOffset'>[]
  }
  /**
   * Remember the publication under a key in the same atomic step (`capabilities.memory`), until a time, milliseconds since
   * 1970-01-01 UTC. Whoever uses a key sees to it that it is used by one at a time.
   */
  readonly remember?: Remembered & { readonly key: string; readonly until: number }
  /**
   * While it says so, a full disk is no failure: the publication keeps its place and waits for room (`capabilities.room`). For who has
   * taken on work that is already stored. Default: never.
   */
  readonly patient?: () => boolean
}

/** What is kept of a publication, so that whoever repeats it can be told what came of it. */
export interface Remembered {
  /** of what was published */
  readonly fingerprint: string
  /** what whoever published was told */
  readonly answer: string
}

/** What a log has room for. */
export interface Room {
  /** that can still be written, bytes */
  readonly bytes: number
  /** Below so many new events should be refused, bytes: the rest is for the work on those that are stored. */
  readonly least: number
  /** whether publications wait for room */
  readonly full: boolean
  /** that it takes now, free pages included, bytes */
  readonly taken: number
  /** that its write-ahead log takes besides, bytes */
  readonly ahead: number
}

/** What a log that is kept in this process tells of its work. */
export type Upkeep = { readonly kind: 'committed'; readonly seconds: number } | ({ readonly kind: 'dropped' } & Dropped)

/** What retention has dropped of a partition. */
export interface Dropped {
  readonly topic: string
  readonly partition: number
  /** offsets from here… */
  readonly from: number
  /** …to before this one */
  readonly to: number
  /** of the packed records */
  readonly bytes: number
}

/** Remembers publications by a key, where a log can. */
export interface Memory {
  /** What was remembered under a key, unless its time is over. */
  find(key: string): Promise<Remembered | undefined>
}

export interface TopicOptions {
  readonly partitions: number
  /** `compact` keeps the newest record of each key; `delete` drops the oldest beyond the retention. */
  readonly cleanup: 'delete' | 'compact'
  /** Age, by the records' timestamps, beyond which the oldest may be dropped; for ever if absent. */
  readonly retentionMs?: number
  /** Size a partition beyond which the oldest may be dropped; unbounded if absent. */
  readonly retentionBytes?: number
}

export interface EnsureOptions {
  /** Applies the retention, where one is given, to topics that are there. A shorter one drops records. Default false. */
  readonly alter?: boolean
  /** Only tells what would be done. Default false. */
  readonly dryRun?: boolean
  /** Copies of each partition of new topics; default: three on three brokers or more, else as many as the log makes by itself. */
  readonly replicas?: number
  /** Further settings of new topics, by name, in the words of the log (Kafka's); a log that has none refuses them. */
  readonly settings?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** What was done to a topic. */
export interface TopicOutcome {
  readonly topic: string
  readonly done: 'created' | 'altered' | 'kept'
  /** copies of each partition of a new one, where the log was told how many */
  readonly replicas?: number
  /** the retention of a topic that is there, where that is not the one asked for */
  readonly existing?: Pick<TopicOptions, 'retentionMs' | 'retentionBytes'>
}

export interface PartitionOffsets {
  readonly partition: number
  /** Offset of the oldest record still stored. */
  readonly start: number
  /** Offset the next record will get. */
  readonly end: number
}

export interface EraseOptions {
  /** Of each partition, by number: only records below this offset. Default: all. */
  readonly before?: readonly number[]
  /** A note that is stored in one atomic step with each removal, of how many were removed so far. */
  readonly note?: (removed: number) => Note
}

/** A text that outlives the process, by its name. */
export type Note = readonly [name: string, text: string]

/** Removes single records, where a log can: elsewhere only retention and compaction do. */
export interface Erasure {
  /**
   * Removes the records of a topic that match: their offsets become gaps. Consumers go on, and are handed none of them any more; what
   * holds none is not written. @returns how many were removed
   */
  erase(topic: string, matches: (record: StoredRecord) => boolean, options?: EraseOptions): Promise<number>
  /** Resolves when what a group has been handed of a topic by now is settled: what it made of it is stored. */
  passed(topic: string, group: string): Promise<void>
  /** Leaves nothing of removed records on the disk. */
  scrub(): Promise<void>
  /** Stores a note under its name, or removes it where there is no text. */
  note(name: string, text?: string): Promise<void>
  /** Every note whose name begins so, by name. */
  notes(prefix: string): Promise<readonly Note[]>
}

/** What a log can do beyond the contract. It is asked here, never guessed from its methods; a wrapper hands it on (`logWith`). */
export interface Capabilities {
  /**
   * A publication has its place, and its records are copied, when `publish` returns its promise: those that follow become
   * durable after it or not at all, so that a stage may acknowledge and go on; deliveries stay readable after their ack. Where false,
   * wait for each before the next.
   */
  readonly pipelined: boolean
  /** `ahead` hands out records before they are durable. */
  readonly ahead: boolean
  readonly erasure: Erasure | undefined
  readonly memory: Memory | undefined
  /** How much more it can hold, where it knows. */
  readonly room: (() => Promise<Room>) | undefined
  /** Its id: another one means other records at the same offsets, since the log was made anew or restored. */
  readonly identity: (() => Promise<string>) | undefined
  /** Every commit and what retention drops, where they happen in this process. Never errors; ends with the log. */
  readonly upkeep: Observable<Upkeep> | undefined
}

/**
 * A partitioned, durable, append-only log: the port behind which `embedded` (SQLite) and `kafka` stand.
 *
 * Order: within a partition records are delivered in offset order; across partitions there is none.
 * Flow control: a partition's next delivery is handed out only after `ack()`, so nothing is buffered without a bound.
 * Delivery: `publish` resolves when the records are durable. With `settles`, records and positions become durable in
 * one atomic step or not at all: a stage that publishes this way is exactly-once.
 * Failure: every method rejects with a `LogError`; a stream errors with one. After an indefinite failure the
 * process must end and start again from what is durable.
 */
export interface EventLog {
  readonly capabilities: Capabilities
  /**
   * Creates missing topics. Existing ones stay as they are, unless told otherwise; one with another number of partitions or another cleanup
   * is refused (names both), before anything is done.
   */
  ensureTopics(
    topics: Readonly<Record<string, TopicOptions>>,
    options?: EnsureOptions,
  ): Promise<readonly TopicOutcome[]>
  /** Cold: each subscription is a member of its own. Unsubscribing abandons what is outstanding, as a crash would. */
  consume(topic: string, options?: ConsumeOptions): Observable<Delivery>
  /** All publications become durable together. Offsets come back in the order of the records, one array a publication. */
  publish(publications: readonly Publication[], options?: PublishOptions): Promise<readonly (readonly number[])[]>
  /** Start and end of each partition, in partition order. Of a topic that is not there: a `LogError` with the code TOPIC_MISSING. */
  offsets(topic: string): Promise<readonly PartitionOffsets[]>
  /** Committed position a partition; a partition without one is absent. */
  positions(topic: string, group: string): Promise<ReadonlyMap<number, number>>
  /**
   * Completes every consumer at once (outstanding deliveries are abandoned), makes outstanding publications durable,
   * releases locks. Idempotent. Every other call then rejects.
   */
  close(): Promise<void>
}

/** What an error of the log means, where somebody goes by it: no such topic; not for this principal; not the log whose offsets are held. */
export type LogErrorCode = 'TOPIC_MISSING' | 'DENIED' | 'FULL' | 'OTHER_LOG' | 'NO_IDENTITY'

/** An error of the log that names what was expected and what to do. Its text is for people; who decides goes by the code. */
export class LogError extends Error {
  override readonly name = 'LogError'
  readonly code: LogErrorCode | undefined

  constructor(message: string, { code, ...options }: ErrorOptions & { readonly code?: LogErrorCode | undefined } = {}) {
    super(message, options)
    this.code = code
  }
}
