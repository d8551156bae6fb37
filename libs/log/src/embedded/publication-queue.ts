import { LogError, type Publication, type PublishOptions } from '../event-log.ts'
import { targetPartition } from '../target-partition.ts'
import { EmbeddedDelivery } from './consumer.ts'
import { explain, isIndefinite } from './errors.ts'
import { type PlacedRecord, packBatch, packedSize, RecordBatch } from './record-batch.ts'
import { appended, insertBatch, type NewBatch, putPosition, type Statement } from './statements.ts'
import type { PartitionState, Store } from './store.ts'

/** A stored batch ends here, so that readers hold little and compaction works in small steps. */
const BATCH_RECORDS = 4096
const BATCH_BYTES = 1 << 20
/** A transaction takes no further publication beyond this. */
const TRANSACTION_BYTES = 16 << 20

/** Members of groups are handed nothing more while this much waits for the disk. */
const FULL_BYTES = 8 << 20

/** A publication that has its place and waits for its transaction. */
interface Placed {
  readonly batches: readonly (readonly [PartitionState, NewBatch])[]
  readonly settles: Settlement | undefined
  readonly bytes: number
  readonly resolve: () => void
  readonly reject: (error: LogError) => void
}

interface Settlement {
  readonly group: string
  readonly partition: PartitionState
  readonly next: number
}

export interface PublicationQueueOptions {
  readonly store: Store
  readonly clock: () => number
  /** told when records have their place, and again when they are durable */
  readonly onMoved: () => void
  /** told when records that had a place have lost it */
  readonly onRollback: (error: LogError) => void
}

/**
 * Publications get their place in the log at once and become durable in that order. Group commit: all that is placed while one
 * transaction is under way shares the next one, and its fsync. When a transaction fails, so does everything placed since it began:
 * it may rest on what was lost.
 */
export class PublicationQueue {
  readonly #options: PublicationQueueOptions
  #waiting: Placed[] = []
  #bytes = 0
  #planned = false
  #committing: Promise<void> | undefined
  #last: Promise<void> = Promise.resolve()
  #failure: LogError | undefined

  constructor(options: PublicationQueueOptions) {
    this.#options = options
  }

  async publish(publications: readonly Publication[], { settles }: PublishOptions): Promise<number[][]> {
    if (this.#failure) throw this.#failure
    const { store, clock, onMoved } = this.#options
    const records = new Map<PartitionState, PlacedRecord[]>()
    const now = clock()
    const offsets = publications.map(publication => place(publication, store, records, now))
    const settlement = settles && this.#settlement(settles)
    const batches = [...records].flatMap(([partition, placed]) =>
      packed(partition.placed, placed).map(batch => [partition, batch] as const),
    )
    for (const [partition, { base, next, payload }] of batches) {
      store.recent.add(partition, { records: new RecordBatch(base, payload), next, tombstonesUntil: null })
      partition.placed = next
    }
    const bytes = batches.reduce((sum, [, { payload }]) => sum + payload.length, 0)
    const durable = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ batches, settles: settlement, bytes, resolve, reject })
    })
    this.#bytes += bytes
    this.#last = durable.catch(() => {})
    this.#plan()
    onMoved()
    await durable
    return offsets
  }

  #settlement({ group, deliveries }: NonNullable<PublishOptions['settles']>): Settlement | undefined {
    const [first] = deliveries
    if (!first) return undefined
    const partition = this.#options.store.topic(first.topic).partitions[first.partition]
    if (!partition || deliveries.some(({ topic, partition }) => topic !== first.topic || partition !== first.partition))
      throw new LogError(
        'settles: expected deliveries of one partition that exists, got several or another. Publish once for each partition.',
      )
    if (deliveries.some(isSuperseded))
      throw new LogError(
        `settles: expected deliveries of a partition this member holds, got ones of ${first.topic}/${first.partition}, ` +
          'which has been given to another member since. Nothing was stored; the other member does the work.',
      )
    if (deliveries.some(isLost))
      throw new LogError(
        `settles: expected deliveries of stored records, got some of ${first.topic}/${first.partition} that could not be stored. Consume again.`,
      )
    return { group, partition, next: Math.max(...deliveries.map(delivery => delivery.nextOffset)) }
  }

  /** Whether a lot waits for the disk. */
  get full(): boolean {
    return this.#bytes >= FULL_BYTES
  }

  /** Resolves when everything that has a place by now is durable, or lost. */
  settled(): Promise<void> {
    return this.#last
  }

  /** Begins in the next turn of the event loop, so that what is published together is stored together. */
  #plan(): void {
    if (this.#planned || this.#committing) return
    this.#planned = true
    setImmediate(() => {
      this.#planned = false
      this.#next()
    })
  }

  /** Begins a transaction with what waits, unless one is under way. */
  #next(): void {
    if (this.#committing || this.#waiting.length === 0) return
    let bytes = 0
    const end = this.#waiting.findIndex(waiting => {
      bytes += waiting.bytes
      return bytes > TRANSACTION_BYTES
    })
    const taken = this.#waiting.splice(0, end < 0 ? this.#waiting.length : Math.max(1, end))
    this.#committing = this.#commit(taken).finally(() => {
      this.#committing = undefined
      this.#next()
    })
  }

  async #commit(taken: readonly Placed[]): Promise<void> {
    const { store, onMoved } = this.#options
    try {
      await store.writer.transaction(statementsOf(taken))
    } catch (error) {
      this.#rollBack(taken, error)
      return
    }
    for (const { batches, bytes, resolve } of taken) {
      this.#bytes -= bytes
      for (const [partition, { next, payload }] of batches) {
        partition.next = next
        partition.bytes += payload.length
        partition.dirty += payload.length
      }
      resolve()
    }
    onMoved()
  }

  #rollBack(taken: readonly Placed[], error: unknown): void {
    const { store, onRollback } = this.#options
    const failure = explain(error, store.file)
    if (isIndefinite(error)) this.#failure = failure
    const lost = [...taken, ...this.#waiting.splice(0)]
    this.#bytes = 0
    for (const partition of new Set(lost.flatMap(({ batches }) => batches.map(([partition]) => partition)))) {
      partition.placed = partition.next
      partition.losses = [...partition.losses, partition.next]
      store.recent.truncate(partition)
    }
    onRollback(failure)
    for (const { reject } of lost) reject(failure)
  }
}

function statementsOf(publications: readonly Placed[]): Statement[] {
  const statements: Statement[] = []
  const added = new Map<PartitionState, { next: number; bytes: number }>()
  for (const { batches, settles } of publications) {
    for (const [partition, batch] of batches) {
      statements.push(insertBatch(partition.id, batch))
      const bytes = (added.get(partition)?.bytes ?? 0) + batch.payload.length
      added.set(partition, { next: batch.next, bytes })
    }
    if (settles) statements.push(putPosition(settles.group, settles.partition.id, settles.next))
  }
  for (const [{ id }, { next, bytes }] of added) statements.push(appended(id, next, bytes))
  return statements
}

/** Records as batches to be stored, from offset `base` on. */
function packed(base: number, records: readonly PlacedRecord[]): NewBatch[] {
  const batches: NewBatch[] = []
  for (let from = 0; from < records.length; ) {
    let to = from
    let newest = -Infinity
    for (let bytes = 0; to < records.length && to - from < BATCH_RECORDS; to++) {
      const size = packedSize(records[to]!)
      if (to > from && bytes + size > BATCH_BYTES) break
      bytes += size
      newest = Math.max(newest, records[to]!.timestamp)
    }
    const payload = packBatch(base + from, records.slice(from, to))
    batches.push({ base: base + from, next: base + to, newest, tombstonesUntil: null, payload })
    from = to
  }
  return batches
}

function isSuperseded(delivery: unknown): boolean {
  return delivery instanceof EmbeddedDelivery && delivery.cursor.superseded
}

function isLost(delivery: unknown): boolean {
  return delivery instanceof EmbeddedDelivery && delivery.lost
}

/** Gives each record of a publication its offset and adds it to its partition's. @returns the offsets, in order */
function place(
  { topic, records }: Publication,
  store: Store,
  placed: Map<PartitionState, PlacedRecord[]>,
  now: number,
): number[] {
  const { options, partitions } = store.topic(topic)
  return records.map((record, i) => {
    const partition = partitions[targetPartition(record, partitions.length, options.cleanup, `${topic}[${i}]`)]!
    const list = placed.get(partition) ?? []
    if (list.length === 0) placed.set(partition, list)
    const offset = partition.placed + list.length
    const { key, value, headers, timestamp = now } = record
    list.push(headers ? { key, value, headers, timestamp, offset } : { key, value, timestamp, offset })
    return offset
  })
}
