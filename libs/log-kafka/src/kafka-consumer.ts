import type { ConsumeOptions, Delivery, StoredRecord } from '@eddy/log'
import { failpoint } from '@eddy/log'
import type { Subscriber } from 'rxjs'
import { Cursor } from './cursor.ts'
import type { KafkaAdmin, KafkaDriver, KafkaMember } from './driver.ts'
import { explain } from './explain.ts'
import { KafkaDelivery } from './kafka-delivery.ts'
import { offsetsOf } from './offsets-of.ts'
import { startOffset } from './start-offset.ts'
import { Watchdog } from './watchdog.ts'

const DEFAULT_MAX_RECORDS = 1024
/**
 * Under light load a member of a group rests between an ack and the next delivery, half as long as that delivery took and at most so
 * many milliseconds. The transaction before has been completed by then and the next takes more with it: fewer of them, and each is
 * quicker, than if they chased one another.
 */
const MOST_REST_MS = 5

/** What a consumer asks of its log when it is given a partition. */
export interface Tenure {
  /** Fences off whoever had the partition of the group before, here or in another process. */
  take(cursor: Cursor): Promise<void>
  position(partition: number): Promise<number | undefined>
}

/** One subscription to a topic: a member of its group. */
export class KafkaConsumer {
  readonly #topic: string
  readonly #options: ConsumeOptions
  readonly #admin: KafkaAdmin
  readonly #tenure: Tenure
  readonly #subscriber: Subscriber<Delivery>
  readonly #onAbort = () => this.#stop()
  readonly #cursors = new Map<number, Cursor>()
  readonly #watchdog: Watchdog
  #member: KafkaMember | undefined
  #memberId: string | undefined
  /** With `untilEnd`: where each partition ended at the start. */
  #ends: readonly number[] | undefined
  #joined = false
  #stopping = false
  #done = false
  #drained: (() => void)[] = []
  #draining = false
  #left: Promise<void> | undefined

  constructor(
    topic: string,
    options: ConsumeOptions,
    admin: KafkaAdmin,
    tenure: Tenure,
    subscriber: Subscriber<Delivery>,
  ) {
    this.#topic = topic
    this.#options = options
    this.#admin = admin
    this.#tenure = tenure
    this.#subscriber = subscriber
    this.#watchdog = new Watchdog(topic, admin, this.#cursors, error => this.fail(error))
  }

  async start(driver: KafkaDriver): Promise<void> {
    const { signal, untilEnd, group } = this.#options
    try {
      const offsets = await offsetsOf(this.#admin, this.#topic)
      if (untilEnd) this.#ends = offsets.map(({ end }) => end)
    } catch (error) {
      return this.fail(error)
    }
    if (this.#done) return
    if (signal?.aborted) return this.#complete()
    signal?.addEventListener('abort', this.#onAbort)
    this.#member = driver.join(this.#topic, group, {
      drain: () => this.#drain(),
      assigned: (partitions, memberId) => this.#assigned(partitions, memberId),
      fetched: (...arguments_) => this.#fetched(...arguments_),
      failed: error => this.fail(error),
    })
    // The log may have closed, or the subscriber gone, inside join.
    if (this.#done) this.#leave()
  }

  /** Gives up everything at once, as a crash would. @returns when the group knows */
  abandon(): Promise<void> {
    if (!this.#done) {
      this.#done = true
      this.#watchdog.stop()
      this.#options.signal?.removeEventListener('abort', this.#onAbort)
      this.#cursors.clear()
      this.#leave()
    }
    return this.#left ?? Promise.resolve()
  }

  close(): Promise<void> {
    for (const cursor of this.#cursors.values()) cursor.superseded = true
    this.#complete()
    return this.abandon()
  }

  fail(error: unknown): void {
    if (this.#done) return
    void this.abandon()
    this.#subscriber.error(explain(error, this.#topic))
  }

  #leave(): void {
    this.#left ??= this.#member?.leave()
    for (const resolve of this.#drained.splice(0)) resolve()
  }

  #drain(): Promise<void> {
    this.#draining = true
    this.#watchdog.joining()
    if (this.#idle()) return Promise.resolve()
    return new Promise(resolve => this.#drained.push(resolve))
  }

  #idle(): boolean {
    for (const { outstanding } of this.#cursors.values()) if (outstanding) return false
    return true
  }

  #assigned(partitions: readonly number[], memberId: string): void {
    if (this.#done) return
    const isNew = memberId !== this.#memberId
    this.#memberId = memberId
    const before = new Set(this.#cursors.keys())
    for (const [partition, cursor] of this.#cursors)
      if (isNew || !partitions.includes(partition)) {
        cursor.superseded = true
        this.#cursors.delete(partition)
      }
    const fresh: Cursor[] = []
    for (const partition of partitions) {
      const cursor = this.#cursors.get(partition)
      if (cursor) {
        cursor.paused = false
        if (cursor.fetchOffset !== undefined) this.#member?.start(partition, cursor.fetchOffset)
        continue
      }
      const tenure = new Cursor(partition)
      this.#cursors.set(partition, tenure)
      fresh.push(tenure)
    }
    const changed = !this.#joined || before.size !== partitions.length || partitions.some(p => !before.has(p))
    this.#joined = true
    this.#draining = false
    this.#watchdog.joined()
    try {
      if (changed) this.#options.onAssignment?.(partitions.toSorted((a, b) => a - b))
    } catch (error) {
      this.fail(error)
      return
    }
    if (fresh.length > 0) this.#begin(fresh).catch(error => this.fail(error))
    this.#pump()
  }

  async #begin(cursors: readonly Cursor[]): Promise<void> {
    const { group, from = group === undefined ? 'earliest' : 'position' } = this.#options
    // Fence first, then ask where to begin: nothing can be committed by a predecessor after that.
    if (group !== undefined) await Promise.all(cursors.map(cursor => this.#tenure.take(cursor)))
    failpoint('taken')
    const partitions = cursors.map(({ partition }) => partition)
    for (const cursor of cursors) cursor.asking = true
    const start = typeof from === 'function' ? await from(partitions) : from
    for (const cursor of cursors) {
      cursor.asking = false
      cursor.progressAt = performance.now()
    }
    const offsets = await this.#admin.offsets(this.#topic, partitions)
    for (const [i, cursor] of cursors.entries()) {
      const offset = await startOffset(this.#topic, start, offsets[i]!, async () =>
        group === undefined ? undefined : this.#tenure.position(cursor.partition),
      )
      if (this.#done) return
      if (this.#cursors.get(cursor.partition) !== cursor) continue
      cursor.fetchOffset = offset
      this.#member?.start(cursor.partition, offset)
    }
    this.#pump()
  }

  #fetched(
    partition: number,
    fetchedOffset: number,
    records: readonly StoredRecord[],
    nextOffset: number,
    endOffset: number,
  ): void {
    const cursor = this.#cursors.get(partition)
    if (this.#done || !cursor || cursor.fetchOffset === undefined) return
    // Whatever was fetched elsewhere than where we stand (before a rebalance, after a silent reset) is not ours.
    if (fetchedOffset !== cursor.fetchOffset) {
      this.#member?.start(partition, cursor.fetchOffset)
      return
    }
    cursor.fetchOffset = nextOffset
    cursor.endOffset = endOffset
    cursor.progressAt = performance.now()
    if (records.length > 0) {
      cursor.buffer.add(records, nextOffset)
      if (cursor.buffer.isFull && !cursor.paused) {
        cursor.paused = true
        this.#member?.pause(partition)
      }
    }
    this.#pump()
  }

  #pump(): void {
    for (const cursor of [...this.#cursors.values()]) {
      if (this.#done || this.#draining || this.#stopping) break
      if (cursor.outstanding || cursor.buffer.isEmpty || this.#ended(cursor) || this.#rests(cursor)) continue
      const delivery = this.#take(cursor)
      if (!delivery) continue
      cursor.outstanding = true
      cursor.handedOutAt = performance.now()
      this.#subscriber.next(delivery)
    }
    if (!this.#done && this.#finished()) this.#complete()
  }

  #rests(cursor: Cursor): boolean {
    const rest = cursor.restsUntil - performance.now()
    if (rest <= 0) return false
    if (cursor.buffer.length >= (this.#options.maxRecords ?? DEFAULT_MAX_RECORDS)) return false
    if (!cursor.wakes) {
      cursor.wakes = true
      setTimeout(() => {
        cursor.wakes = false
        this.#pump()
      }, Math.ceil(rest))
    }
    return true
  }

  /** Cuts the next delivery out of what is buffered. */
  #take(cursor: Cursor): KafkaDelivery | undefined {
    const maxRecords = this.#options.maxRecords ?? DEFAULT_MAX_RECORDS
    const limit = this.#ends?.[cursor.partition] ?? Infinity
    const { records, nextOffset } = cursor.buffer.take(maxRecords, limit)
    if (cursor.paused && cursor.buffer.hasRoom) {
      cursor.paused = false
      this.#member?.resume(cursor.partition)
    }
    return records.length === 0
      ? undefined
      : new KafkaDelivery(this.#topic, cursor, records, nextOffset, () => this.#acknowledged(cursor))
  }

  #acknowledged(cursor: Cursor): void {
    cursor.outstanding = false
    cursor.progressAt = performance.now()
    if (this.#options.group !== undefined && !this.#ends)
      cursor.restsUntil = cursor.progressAt + Math.min(MOST_REST_MS, (cursor.progressAt - cursor.handedOutAt) / 2)
    if (this.#done) return
    if (this.#draining && this.#idle()) for (const resolve of this.#drained.splice(0)) resolve()
    // Later, so that a subscriber who acknowledges inside `next` does not recurse.
    setImmediate(() => this.#pump())
  }

  #stop(): void {
    this.#stopping = true
    this.#pump()
  }

  /** Whether nothing is left below the end that was seen at the start. */
  #ended({ partition, buffer, fetchOffset }: Cursor): boolean {
    if (!this.#ends || fetchOffset === undefined) return false
    // A partition that came later held nothing at the start.
    return (buffer.firstOffset ?? fetchOffset) >= (this.#ends[partition] ?? 0)
  }

  #finished(): boolean {
    if (this.#stopping) return this.#idle()
    if (!this.#ends || !this.#joined || this.#draining) return false
    for (const cursor of this.#cursors.values())
      if (cursor.outstanding || cursor.fetchOffset === undefined || !this.#ended(cursor)) return false
    return true
  }

  #complete(): void {
    if (this.#done) return
    void this.abandon()
    this.#subscriber.complete()
  }
}
