import { randomUUID } from 'node:crypto'
import { LogError, type OutgoingRecord, type Publication, type PublishOptions } from '../event-log.ts'
import { targetPartition } from '../target-partition.ts'
import { FencedError, type KafkaDriver, type KafkaProducer, type ProduceBatch, RefusedError } from './driver.ts'
import { explain, KafkaDelivery } from './kafka-consumer.ts'
import { ANONYMOUS } from './options.ts'

/** Bytes of one record batch; brokers refuse more than 1 MiB by default. */
const BATCH_BYTES = 900_000
/** A transaction takes no further publication beyond this. */
const TRANSACTION_BYTES = 16 << 20

type Settles = NonNullable<PublishOptions['settles']>

interface Entry {
  readonly record: OutgoingRecord
  readonly offsets: number[]
  readonly index: number
}

/** A validated publication that waits for its writer. */
interface Waiting {
  readonly entries: readonly { readonly topic: string; readonly partition: number; readonly entry: Entry }[]
  readonly offsets: readonly number[][]
  readonly bytes: number
  /** Needs a transaction to be atomic: it does not fit in one record batch. */
  readonly spans: boolean
  readonly settles: Settles | undefined
  readonly resolve: (offsets: readonly number[][]) => void
  readonly reject: (error: LogError) => void
}

/** What the publisher knows of a topic. */
export interface KnownTopic {
  readonly partitions: number
  readonly cleanup: 'delete' | 'compact'
}

/** Publications, each to the writer that may make it: one transactional id for each partition of each group read from. */
export class Publisher {
  readonly #driver: KafkaDriver
  readonly #topicOf: (name: string) => Promise<KnownTopic>
  readonly #maxRecordBytes: number
  readonly #writers = new Map<string, Writer>()
  readonly #plain: Writer
  /** Validation waits for metadata: a chain keeps the order of the calls. */
  #order: Promise<unknown> = Promise.resolve()
  #failure: LogError | undefined

  constructor(driver: KafkaDriver, maxRecordBytes: number, topicOf: (name: string) => Promise<KnownTopic>) {
    this.#driver = driver
    this.#topicOf = topicOf
    this.#maxRecordBytes = maxRecordBytes
    const broken = (error: LogError) => {
      this.#failure ??= error
    }
    this.#plain = new Writer(`${ANONYMOUS}${randomUUID()}`, false, id => driver.producer(id), broken)
  }

  publish(publications: readonly Publication[], { settles }: PublishOptions): Promise<readonly number[][]> {
    const queued = this.#order.then(() => this.#enqueue(publications, settles))
    this.#order = queued.catch(() => {})
    return queued.then(({ done }) => done)
  }

  async #enqueue(publications: readonly Publication[], settles: Settles | undefined) {
    let bytes = 0
    const entries: Waiting['entries'][number][] = []
    const targets = new Set<string>()
    const offsets: number[][] = []
    for (const { topic, records } of publications) {
      const { partitions, cleanup } = await this.#topicOf(topic)
      const out: number[] = new Array(records.length)
      offsets.push(out)
      for (const [index, record] of records.entries()) {
        const partition = targetPartition(record, partitions, cleanup, topic, index)
        const size = sizeOf(record)
        if (size > this.#maxRecordBytes)
          throw new LogError(
            `${topic}[${index}]: expected at most ${this.#maxRecordBytes} bytes, got ${size}. Split it, or raise the brokers' message.max.bytes and maxRecordBytes.`,
          )
        bytes += size
        targets.add(`${topic}/${partition}`)
        entries.push({ topic, partition, entry: { record, offsets: out, index } })
      }
    }
    const [first] = settles?.deliveries ?? []
    if (settles && first) {
      const { partitions } = await this.#topicOf(first.topic)
      const one = settles.deliveries.every(d => d.topic === first.topic && d.partition === first.partition)
      if (!one || first.partition >= partitions)
        throw new LogError(
          'settles: expected deliveries of one partition that exists, got several or another. Publish once for each partition.',
        )
    }
    if (this.#failure) throw this.#failure
    if (entries.length === 0 && !first) return { done: Promise.resolve(offsets) }
    const writer = first ? this.#writer(settles!.group, first.topic, first.partition) : this.#plain
    const spans = targets.size > 1 || (entries.length > 1 && bytes > BATCH_BYTES)
    const done = new Promise<readonly number[][]>((resolve, reject) =>
      writer.add({ entries, offsets, bytes, spans, settles: first && settles, resolve, reject }),
    )
    return { done }
  }

  #writer(group: string, topic: string, partition: number): Writer {
    const id = `${group}.${topic}.${partition}`
    const writer =
      this.#writers.get(id) ??
      new Writer(
        id,
        true,
        transactionalId => this.#driver.producer(transactionalId),
        error => {
          this.#failure ??= error
        },
      )
    this.#writers.set(id, writer)
    return writer
  }

  /** A member of the group has been given the partition: fences off its predecessors, here and elsewhere. */
  async take(group: string, topic: string, partition: number): Promise<void> {
    await this.#writer(group, topic, partition).take()
  }

  async close(): Promise<void> {
    await this.#order
    await Promise.all([this.#plain, ...this.#writers.values()].map(writer => writer.close()))
  }
}

/** One transactional id. Publications that wait together share a transaction. */
class Writer {
  readonly #id: string
  readonly #create: (transactionalId?: string) => KafkaProducer
  readonly #onBroken: (error: LogError) => void
  /** The id stands for a partition of a group, and fences. */
  readonly #tenured: boolean
  #transactional: KafkaProducer | undefined
  #idempotent: KafkaProducer | undefined
  #waiting: Waiting[] = []
  /** What this writer is doing: one thing after the other. */
  #work: Promise<void> = Promise.resolve()
  #planned = false
  #broken: LogError | undefined
  /** Another has the id, until it is taken again: a producer that forgot being fenced would take it back unasked. */
  #lost: LogError | undefined

  constructor(
    id: string,
    tenured: boolean,
    create: (transactionalId?: string) => KafkaProducer,
    onBroken: (error: LogError) => void,
  ) {
    this.#id = id
    this.#tenured = tenured
    this.#create = create
    this.#onBroken = onBroken
  }

  /** Initialises a new producer under the id. */
  take(): Promise<void> {
    const taken = this.#work.then(async () => {
      await this.#transactional?.close()
      this.#transactional = this.#create(this.#id)
      await this.#transactional.initialise()
      this.#lost = undefined
    })
    this.#work = taken.catch(() => {})
    return taken
  }

  add(waiting: Waiting): void {
    this.#waiting.push(waiting)
    if (this.#planned) return
    this.#planned = true
    this.#work = this.#work.then(() => this.#flush())
  }

  async #flush(): Promise<void> {
    this.#planned = false
    while (this.#waiting.length > 0) {
      let bytes = 0
      const end = this.#waiting.findIndex(waiting => {
        bytes += waiting.bytes
        return bytes > TRANSACTION_BYTES
      })
      await this.#write(this.#waiting.splice(0, end < 0 ? this.#waiting.length : Math.max(1, end)))
    }
  }

  async #write(taken: readonly Waiting[]): Promise<void> {
    const live = taken.filter(waiting => {
      const zombie = waiting.settles?.deliveries.some(isSuperseded)
      const failure = zombie ? this.#fenced() : (this.#broken ?? this.#lost)
      if (failure) waiting.reject(failure)
      return !failure
    })
    if (live.length === 0) return
    const { batches, entries } = arrange(live)
    const commits = live.flatMap(({ settles }) =>
      settles
        ? settles.deliveries.map(({ topic, partition, nextOffset: offset }) => ({
            group: settles.group,
            topic,
            partition,
            offset,
          }))
        : [],
    )
    const newest = commits.reduce((a, b) => (b.offset > a.offset ? b : a), commits[0]!)
    try {
      const transactional = newest !== undefined || live.some(({ spans }) => spans)
      const producer = await (transactional ? this.#transactionalProducer() : this.#idempotentProducer())
      const bases = await producer.send(batches, newest ? [newest] : [])
      for (const [i, base] of bases.entries())
        for (const [j, { offsets, index }] of entries[i]!.entries()) offsets[index] = base + j
      for (const { resolve, offsets } of live) resolve(offsets)
    } catch (error) {
      const failure = error instanceof FencedError ? this.#fenced(error) : this.#failed(error)
      if (error instanceof RefusedError && !this.#tenured) await this.#discard()
      else if (error instanceof FencedError) this.#lost = failure
      else {
        this.#broken = failure
        this.#onBroken(failure)
      }
      for (const { reject } of live) reject(failure)
    }
  }

  async #transactionalProducer(): Promise<KafkaProducer> {
    if (!this.#transactional) {
      this.#transactional = this.#create(this.#id)
      await this.#transactional.initialise()
    }
    return this.#transactional
  }

  /**
   * A producer that was refused one partition of a request has not counted what another partition stored: it would
   * number the next record the same, and the broker would take that for a repetition. So it is not used again. An id that
   * stands for a partition of a group is not taken a second time, though: it may be another's by now.
   */
  async #discard(): Promise<void> {
    const producers = [this.#transactional, this.#idempotent]
    this.#transactional = undefined
    this.#idempotent = undefined
    await Promise.all(producers.map(producer => producer?.close().catch(() => {})))
  }

  async #idempotentProducer(): Promise<KafkaProducer> {
    if (!this.#idempotent) {
      this.#idempotent = this.#create()
      await this.#idempotent.initialise()
    }
    return this.#idempotent
  }

  #fenced(cause?: unknown): LogError {
    return new LogError(
      `settles: expected a partition that this member holds, got one that has been given to another member since (transactional id ${this.#id}). ` +
        'Nothing was stored; the other member does the work.',
      { cause },
    )
  }

  #failed(cause: unknown): LogError {
    if (cause instanceof RefusedError) return explain(cause, 'publish')
    const message = cause instanceof Error ? cause.message : String(cause)
    return new LogError(
      `publish: Kafka said "${message}". Whether the records were stored is unknown: end the process and start again from what is durable.`,
      { cause },
    )
  }

  async close(): Promise<void> {
    await this.#work
    await Promise.all([this.#transactional?.close(), this.#idempotent?.close()])
  }
}

/** Gathers the records of each partition into record batches. */
function arrange(live: readonly Waiting[]): { batches: ProduceBatch[]; entries: Entry[][] } {
  const batches: { topic: string; partition: number; records: OutgoingRecord[] }[] = []
  const entries: Entry[][] = []
  const open = new Map<string, { at: number; bytes: number }>()
  for (const waiting of live)
    for (const { topic, partition, entry } of waiting.entries) {
      const key = `${topic}/${partition}`
      const size = sizeOf(entry.record)
      let batch = open.get(key)
      if (!batch || batch.bytes + size > BATCH_BYTES) {
        batch = { at: batches.length, bytes: 0 }
        open.set(key, batch)
        batches.push({ topic, partition, records: [] })
        entries.push([])
      }
      batch.bytes += size
      batches[batch.at]!.records.push(entry.record)
      entries[batch.at]!.push(entry)
    }
  return { batches, entries }
}

/** Bytes of a record in a batch, at most. */
function sizeOf({ key, value, headers }: OutgoingRecord): number {
  let size = 32 + (key?.length ?? 0) + (value?.length ?? 0)
  for (const name in headers) size += 10 + Buffer.byteLength(name) + headers[name]!.length
  return size
}

function isSuperseded(delivery: unknown): boolean {
  return delivery instanceof KafkaDelivery && delivery.cursor.superseded
}
