import type { ConsumeOptions, Delivery, From, LogError, StoredRecord } from '@eddy/log'
import type { Subscriber } from 'rxjs'
import type { ConsumerGroup } from './consumer-group.ts'
import { type Cursor, EmbeddedDelivery, type Member } from './embedded-delivery.ts'
import { explain, notStored } from './errors.ts'
import type { PartitionState, TopicState } from './partition-state.ts'
import type { PublicationQueue } from './publication-queue.ts'
import type { Store } from './store.ts'
import { inTurn } from './turns.ts'

const DEFAULT_MAX_RECORDS = 1024
/** A delivery of small stored batches stops here. */
const MAX_BYTES = 1 << 20

/** One subscription to a topic: a member of its group. */
export class Consumer implements Member {
  readonly #store: Store
  readonly #topic: TopicState
  readonly #options: ConsumeOptions
  readonly #group: ConsumerGroup
  readonly #queue: PublicationQueue
  readonly #subscriber: Subscriber<Delivery>
  readonly #cursors = new Map<number, Cursor>()
  /** With `untilEnd`: where each partition ended at the start. */
  readonly #ends: readonly number[] | undefined
  readonly #onAbort = () => this.#drain()
  #joined = false
  #draining = false
  #done = false
  #planned = false

  constructor(
    store: Store,
    topic: TopicState,
    options: ConsumeOptions,
    group: ConsumerGroup,
    queue: PublicationQueue,
    subscriber: Subscriber<Delivery>,
  ) {
    this.#store = store
    this.#topic = topic
    this.#options = options
    this.#group = group
    this.#queue = queue
    this.#subscriber = subscriber
    if (options.untilEnd) this.#ends = topic.partitions.map(partition => partition.next)
  }

  start(): void {
    this.#group.join(this)
    const { signal } = this.#options
    signal?.addEventListener('abort', this.#onAbort)
    if (signal?.aborted) this.#drain()
  }

  /** Whether there are records it could be handed now. */
  get hasNews(): boolean {
    for (const { offset, outstanding, partition } of this.#cursors.values())
      if (!outstanding && offset !== undefined && offset < this.#endOf(partition)) return true
    return false
  }

  /** Looks for records in a turn of the event loop to come. */
  wake(): void {
    if (this.#planned || this.#done) return
    this.#planned = true
    inTurn(() => {
      this.#planned = false
      this.#pump()
    })
  }

  /** Gives up everything at once, as a crash would. */
  abandon(): void {
    if (this.#done) return
    this.#done = true
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    for (const cursor of this.#cursors.values()) cursor.released = true
    this.#cursors.clear()
    this.#group.leave(this)
  }

  /** The log is closing: ends the stream; nothing that is outstanding may be settled any more. */
  close(): void {
    for (const cursor of this.#cursors.values()) cursor.superseded = true
    this.#complete()
  }

  /** Records have lost their place: whoever was given some fails. */
  rolledBack(error: LogError, lost: ReadonlySet<PartitionState>): void {
    if (this.hasTaken(lost)) this.fail(error)
  }

  /** Whether it was handed records of these partitions that are not durable. */
  hasTaken(partitions: ReadonlySet<PartitionState>): boolean {
    for (const { offset = 0, partition } of this.#cursors.values())
      if (partitions.has(partition) && offset > partition.next) return true
    return false
  }

  /** What was read of a partition is no longer what is stored. */
  forget(partition: PartitionState): void {
    const cursor = this.#cursors.get(partition.number)
    if (cursor?.partition === partition) cursor.batch = undefined
  }

  isOf(topic: TopicState, group: string): boolean {
    return this.#topic === topic && this.#options.group === group
  }

  /** Where what was handed out of each partition ends. */
  get handed(): (readonly [PartitionState, number])[] {
    return [...this.#cursors.values()].map(({ partition, handed }) => [partition, handed])
  }

  grant(number: number): Cursor {
    const partition = this.#topic.partitions[number]!
    const cursor: Cursor = {
      consumer: this,
      partition,
      offset: undefined,
      batch: undefined,
      handed: 0,
      outstanding: false,
      revoked: false,
      released: false,
      superseded: false,
    }
    this.#cursors.set(number, cursor)
    return cursor
  }

  /** @returns whether the partition is free now; otherwise it will be at the next acknowledgement */
  revoke(cursor: Cursor): boolean {
    cursor.revoked = true
    if (cursor.outstanding) return false
    this.#release(cursor)
    return true
  }

  /** A rebalance is over: begins reading the partitions that are new. */
  assigned(granted: readonly Cursor[], changed: boolean): void {
    const news = changed || !this.#joined
    this.#joined = true
    const held = [...this.#cursors.values()].filter(cursor => !cursor.revoked).map(cursor => cursor.partition.number)
    try {
      if (news) this.#options.onAssignment?.(held.sort((a, b) => a - b))
    } catch (error) {
      this.fail(error)
      return
    }
    if (granted.length > 0)
      this.#begin(granted).then(
        () => this.wake(),
        error => this.fail(error),
      )
    else this.wake()
  }

  acknowledge(cursor: Cursor): void {
    cursor.outstanding = false
    if (this.#done) return
    if (cursor.revoked || this.#draining) {
      this.#release(cursor)
      this.#group.plan()
    }
    this.wake()
  }

  #release(cursor: Cursor): void {
    cursor.released = true
    cursor.batch = undefined
    this.#cursors.delete(cursor.partition.number)
  }

  #drain(): void {
    this.#draining = true
    for (const cursor of [...this.#cursors.values()]) if (!cursor.outstanding) this.#release(cursor)
    this.#group.leave(this)
    this.wake()
  }

  async #begin(cursors: readonly Cursor[]): Promise<void> {
    const { from = this.#options.group === undefined ? 'earliest' : 'position' } = this.#options
    // Who had the partition before may be settling its last deliveries.
    if (this.#options.group !== undefined) await this.#queue.settled()
    if (this.#done) return
    const start = typeof from === 'function' ? await from(cursors.map(cursor => cursor.partition.number)) : from
    if (this.#done) return
    for (const cursor of cursors) cursor.offset = this.#startOf(cursor.partition, start)
  }

  #startOf(partition: PartitionState, from: From): number {
    if (from === 'earliest') return partition.start
    const end = this.#endOf(partition)
    if (from === 'latest') return end
    const named = from === 'position' ? undefined : from.get(partition.number)
    const { group } = this.#options
    const offset = named ?? (group === undefined ? undefined : this.#store.position(group, partition))
    if (offset === undefined) return partition.start
    if (offset < partition.start || offset > end) throw notStored(partition, offset, partition.start, end)
    return offset
  }

  /** Where the partition ends, as this consumer may see it. */
  #endOf(partition: PartitionState): number {
    return this.#options.ahead ? partition.placed : partition.next
  }

  #pump(): void {
    if (this.#done) return
    // A stage that runs ahead of the disk waits for it.
    if (this.#options.group !== undefined && this.#queue.full) return
    try {
      for (const cursor of [...this.#cursors.values()]) {
        if (this.#done) return
        if (cursor.offset === undefined || cursor.outstanding || cursor.revoked || this.#draining) continue
        const delivery = this.#read(cursor, cursor.offset)
        if (!delivery) continue
        cursor.offset = delivery.nextOffset
        cursor.handed = delivery.nextOffset
        cursor.outstanding = true
        this.#subscriber.next(delivery)
      }
    } catch (error) {
      this.fail(error)
      return
    }
    if (this.#finished()) this.#complete()
  }

  #read(cursor: Cursor, offset: number): EmbeddedDelivery | undefined {
    const { partition } = cursor
    const end = this.#endOf(partition)
    const limit = this.#ends?.[partition.number] ?? end
    const maxRecords = this.#options.maxRecords ?? DEFAULT_MAX_RECORDS
    const records: StoredRecord[] = []
    let next = offset
    for (let bytes = 0; records.length < maxRecords && next < limit && bytes < MAX_BYTES; ) {
      if (next < partition.start) this.#startOf(partition, new Map([[partition.number, next]]))
      const batch = cursor.batch && cursor.batch.next > next ? cursor.batch : this.#store.batchFrom(partition, next)
      cursor.batch = batch
      if (!batch) break
      const { records: stored } = batch
      const from = stored.indexOf(next)
      const to = Math.min(batch.next > limit ? stored.indexOf(limit) : stored.count, from + maxRecords - records.length)
      for (let i = from; i < to; i++) records.push(stored.recordAt(i))
      next = to < stored.count ? Math.min(stored.offsetAt(to), limit) : batch.next
      bytes += stored.bytes.length
    }
    if (records.length > 0) return new EmbeddedDelivery(cursor, records, next, end)
    cursor.offset = next
    return undefined
  }

  #finished(): boolean {
    if (this.#draining) return this.#cursors.size === 0
    if (!this.#ends || !this.#joined) return false
    for (const { partition, offset, outstanding } of this.#cursors.values())
      if (outstanding || offset === undefined || offset < this.#ends[partition.number]!) return false
    return true
  }

  #complete(): void {
    if (this.#done) return
    this.abandon()
    this.#subscriber.complete()
  }

  /** Ends the stream with an error. */
  fail(error: unknown): void {
    if (this.#done) return
    this.abandon()
    this.#subscriber.error(explain(error, this.#store.file))
  }
}
