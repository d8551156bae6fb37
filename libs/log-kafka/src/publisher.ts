import { randomUUID } from 'node:crypto'
import { LogError, type OutgoingRecord, type Publication, type PublishOptions } from '@eddy/log'
import { targetPartition } from '@eddy/log/adapter'
import { FencedError, type KafkaDriver, type KafkaProducer, type ProduceBatch, RefusedError } from './driver.ts'
import { explain } from './explain.ts'
import { KafkaDelivery } from './kafka-delivery.ts'
import { ANONYMOUS } from './options.ts'
import { said } from './said.ts'

/** Bytes of one record batch; brokers refuse more than 1 MiB by default. */
const BATCH_BYTES = 900_000
/** A transaction takes no further publication beyond this. */
const TRANSACTION_BYTES = 16 << 20

type Settles = NonNullable<PublishOptions['settles']>

/** Records of a publication for one partition. */
interface Part {
  readonly topic: string
  readonly partition: number
  readonly records: readonly OutgoingRecord[]
  readonly bytes: number
  /** the publication's; filled in when the records are stored */
  readonly offsets: number[]
  /** the records' places in it */
  readonly places: readonly number[]
}

/** A validated publication that waits for its writer. */
interface Waiting {
  readonly parts: readonly Part[]
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
    const parts: Part[] = []
    const offsets: number[][] = []
    for (const { topic, records } of publications) {
      const out: number[] = new Array(records.length)
      offsets.push(out)
      parts.push(...this.#split(topic, await this.#topicOf(topic), records, out))
    }
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0)
    const targets = new Set(parts.map(({ topic, partition }) => `${topic}/${partition}`))
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
    if (parts.length === 0 && !first) return { done: Promise.resolve(offsets) }
    const writer = first ? this.#writer(settles!.group, first.topic, first.partition) : this.#plain
    const single = parts.length === 1 && parts[0]!.records.length === 1
    const spans = !single && (targets.size > 1 || bytes > BATCH_BYTES)
    const done = new Promise<readonly number[][]>((resolve, reject) =>
      writer.add({ parts, offsets, bytes, spans, settles: first && settles, resolve, reject }),
    )
    return { done }
  }

  /** @throws LogError when a record has no place or is too large; nothing is published then */
  #split(
    topic: string,
    { partitions, cleanup }: KnownTopic,
    records: readonly OutgoingRecord[],
    offsets: number[],
  ): Iterable<Part> {
    const parts = new Map<number, Part & { records: OutgoingRecord[]; bytes: number; places: number[] }>()
    for (let index = 0; index < records.length; index++) {
      const record = records[index]!
      const partition = targetPartition(record, partitions, cleanup, topic, index)
      const size = sizeOf(record)
      if (size > this.#maxRecordBytes)
        throw new LogError(
          `${topic}[${index}]: expected at most ${this.#maxRecordBytes} bytes, got ${size}. Split it, or raise the brokers' message.max.bytes and maxRecordBytes.`,
        )
      let part = parts.get(partition)
      if (!part) {
        part = { topic, partition, records: [], bytes: 0, offsets, places: [] }
        parts.set(partition, part)
      }
      part.bytes += size
      part.records.push(record)
      part.places.push(index)
    }
    return parts.values()
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
    const batches = arrange(live)
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
      for (const [i, base] of bases.entries()) assignOffsets(batches[i]!, base)
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
    return new LogError(
      `publish: Kafka said "${said(cause)}". Whether the records were stored is unknown: end the process and start again from what is durable.`,
      { cause },
    )
  }

  async close(): Promise<void> {
    await this.#work
    await Promise.all([this.#transactional?.close(), this.#idempotent?.close()])
  }
}

/** A record batch to be, and the parts it is made of: `count` records of each, from `from` on. */
interface Arranged extends ProduceBatch {
  readonly records: OutgoingRecord[]
  readonly sources: { readonly part: Part; readonly from: number; count: number }[]
  bytes: number
}

/** Gathers the records of each partition into record batches. */
function arrange(live: readonly Waiting[]): Arranged[] {
  const batches: Arranged[] = []
  const open = new Map<string, Arranged>()
  for (const part of live.flatMap(({ parts }) => parts)) {
    const { topic, partition, records } = part
    const key = `${topic}/${partition}`
    const next = (): Arranged => {
      const batch: Arranged = { topic, partition, records: [], sources: [], bytes: 0 }
      batches.push(batch)
      open.set(key, batch)
      return batch
    }
    let batch = open.get(key) ?? next()
    let source = addSource(batch, part, 0)
    for (let i = 0; i < records.length; i++) {
      const record = records[i]!
      const size = sizeOf(record)
      if (batch.bytes + size > BATCH_BYTES && batch.records.length > 0) {
        batch = next()
        source = addSource(batch, part, i)
      }
      batch.bytes += size
      batch.records.push(record)
      source.count++
    }
  }
  return batches
}

function addSource({ sources }: Arranged, part: Part, from: number): Arranged['sources'][number] {
  const source = { part, from, count: 0 }
  sources.push(source)
  return source
}

/** Tells the publications the offsets of their records in a batch that was stored at `base`. */
function assignOffsets({ sources }: Arranged, base: number): void {
  let offset = base
  for (const { part, from, count } of sources)
    for (let i = from; i < from + count; i++) part.offsets[part.places[i]!] = offset++
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
