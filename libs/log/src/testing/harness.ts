import { randomUUID } from 'node:crypto'
import type { Observable, Subscription } from 'rxjs'
import type { Delivery, EventLog, OutgoingRecord, StoredRecord } from '../event-log.ts'

/** What an adapter brings to be examined. */
export interface ConformanceSubject {
  /** Opens the log over the subject's storage, again after a close. */
  open(): Promise<EventLog>
  /**
   * Resolves when compaction and retention have done their work on the topic as it is now. May append records
   * with the key `filler`.
   */
  clean(log: EventLog, topic: string): Promise<void>
  dispose(): Promise<void>
}

const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString())
export const bytes = (string: string): Uint8Array => Buffer.from(string)
export const record = (key: string | null, value: string | null, partition?: number): OutgoingRecord => ({
  key: key === null ? null : bytes(key),
  value: value === null ? null : bytes(value),
  ...(partition !== undefined && { partition }),
})
export const records = (count: number, partition: number, prefix = 'v'): OutgoingRecord[] =>
  Array.from({ length: count }, (_, i) => record(`k${i}`, `${prefix}${i}`, partition))

export const freshName = (name: string): string => `${name}-${randomUUID().slice(0, 8)}`

/** A topic of its own, for one test. */
export async function freshTopic(log: EventLog, partitions = 1, cleanup: 'delete' | 'compact' = 'delete') {
  const topic = freshName('t')
  await log.ensureTopics({ [topic]: { partitions, cleanup } })
  return topic
}

/** Watches a stream of deliveries; acknowledges each unless told not to. */
export class Reader {
  readonly deliveries: Delivery[] = []
  /** A record's bytes are only valid until its ack: what was read, copied. */
  readonly read: { partition: number; offset: number; key: string | null; value: string | null }[] = []
  completed = false
  error: unknown
  readonly #subscription: Subscription
  #waiting: (() => void)[] = []

  constructor(source: Observable<Delivery>, onDelivery: (delivery: Delivery) => void = delivery => delivery.ack()) {
    this.#subscription = source.subscribe({
      next: delivery => {
        this.deliveries.push(delivery)
        for (const record of delivery.records) this.read.push(copy(delivery.partition, record))
        onDelivery(delivery)
        this.#notify()
      },
      error: error => {
        this.error = error
        this.#notify()
      },
      complete: () => {
        this.completed = true
        this.#notify()
      },
    })
  }

  get values(): (string | null)[] {
    return this.read.map(({ value }) => value)
  }

  valuesOf(partition: number): (string | null)[] {
    return this.read.filter(entry => entry.partition === partition).map(({ value }) => value)
  }

  /** Resolves when the condition holds; rejects with the stream's error. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.error) throw this.error
      if (this.completed) throw new Error(`stream completed after ${this.read.length} records`)
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    }
  }

  async complete(): Promise<this> {
    while (!this.completed) {
      if (this.error) throw this.error
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    }
    return this
  }

  async failure(): Promise<unknown> {
    while (!this.error) {
      if (this.completed) throw new Error('stream completed, expected an error')
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    }
    return this.error
  }

  stop(): void {
    this.#subscription.unsubscribe()
  }

  /** Wakes whoever waits, e.g. after something outside the stream has changed. */
  #notify(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}

function copy(partition: number, { offset, key, value }: StoredRecord) {
  return { partition, offset, key: text(key), value: text(value) }
}

/** Everything a topic holds now, by partition and offset. */
export async function readAll(log: EventLog, topic: string): Promise<Reader['read']> {
  const { read } = await new Reader(log.consume(topic, { untilEnd: true, from: 'earliest' })).complete()
  return read.sort((a, b) => a.partition - b.partition || a.offset - b.offset)
}
