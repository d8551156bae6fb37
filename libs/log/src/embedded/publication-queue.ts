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

type Records = Publication['records']

/** A validated publication that waits for the next transaction. */
interface Waiting {
  readonly groups: readonly { readonly records: Records; readonly targets: readonly PartitionState[] }[]
  readonly settles:
    | { group: string; partition: PartitionState; deliveries: readonly unknown[]; next: number }
    | undefined
  readonly bytes: number
  readonly resolve: (offsets: number[][]) => void
  readonly reject: (error: LogError) => void
}

/** Group commit: everything published while one transaction is under way shares the next one, and its fsync. */
export class PublicationQueue {
  readonly #store: Store
  readonly #clock: () => number
  readonly #onCommit: (partitions: Iterable<PartitionState>) => void
  #waiting: Waiting[] = []
  #planned = false
  #committing: Promise<void> | undefined
  #failure: LogError | undefined

  constructor(store: Store, clock: () => number, onCommit: (partitions: Iterable<PartitionState>) => void) {
    this.#store = store
    this.#clock = clock
    this.#onCommit = onCommit
  }

  publish(publications: readonly Publication[], { settles }: PublishOptions): Promise<number[][]> {
    return new Promise((resolve, reject) => {
      let bytes = 0
      const groups = publications.map(({ topic, records }) => {
        const { options, partitions } = this.#store.topic(topic)
        const targets = records.map((record, i) => {
          bytes += packedSize(record)
          return partitions[targetPartition(record, partitions.length, options.cleanup, `${topic}[${i}]`)]!
        })
        return { records, targets }
      })
      this.#waiting.push({ groups, settles: settles && this.#settlement(settles), bytes, resolve, reject })
      this.#plan()
    })
  }

  #settlement({ group, deliveries }: NonNullable<PublishOptions['settles']>): Waiting['settles'] {
    const [first] = deliveries
    if (!first) return undefined
    const partition = this.#store.topic(first.topic).partitions[first.partition]
    if (!partition || deliveries.some(({ topic, partition }) => topic !== first.topic || partition !== first.partition))
      throw new LogError(
        'settles: expected deliveries of one partition that exists, got several or another. Publish once for each partition.',
      )
    return { group, partition, deliveries, next: Math.max(...deliveries.map(delivery => delivery.nextOffset)) }
  }

  /** Resolves when the transaction that is under way, if one is, has ended. */
  async settled(): Promise<void> {
    await this.#committing
  }

  /** Resolves when everything published is durable, or refused. */
  async drained(): Promise<void> {
    for (this.#next(); this.#committing; this.#next()) await this.#committing
  }

  /** Begins in the next turn of the event loop, so that what is published together is stored together. */
  #plan(): void {
    if (this.#planned) return
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

  async #commit(taken: readonly Waiting[]): Promise<void> {
    const live = this.#withoutZombies(taken)
    if (this.#failure) {
      for (const { reject } of live) reject(this.#failure)
      return
    }
    const placed = new Map<PartitionState, PlacedRecord[]>()
    const now = this.#clock()
    const offsets = live.map(({ groups }) => groups.map(({ records, targets }) => place(records, targets, placed, now)))
    const batches = new Map<PartitionState, NewBatch[]>()
    let payloads: readonly Uint8Array[]
    try {
      for (const [partition, records] of placed) batches.set(partition, packed(partition.next, records))
      ;({ payloads } = await this.#store.writer.transaction(statementsOf(batches, live)))
    } catch (error) {
      const failure = explain(error, this.#store.file)
      if (isIndefinite(error)) this.#failure = failure
      for (const { reject } of live) reject(failure)
      return
    }
    const returned = payloads.values()
    for (const [partition, added] of batches)
      for (const batch of added) this.#advance(partition, batch, returned.next().value!)
    for (const [i, { resolve }] of live.entries()) resolve(offsets[i]!)
    this.#onCommit(batches.keys())
  }

  /** Refuses what settles deliveries whose partition somebody else has by now. @returns the rest */
  #withoutZombies(taken: readonly Waiting[]): readonly Waiting[] {
    const zombies = taken.filter(waiting => waiting.settles?.deliveries.some(isSuperseded))
    for (const { settles, reject } of zombies)
      reject(
        new LogError(
          `settles: expected deliveries of a partition this member holds, got ones of ${settles!.partition.topic}/${settles!.partition.number}, ` +
            'which has been given to another member since. Nothing was stored; the other member does the work.',
        ),
      )
    return zombies.length === 0 ? taken : taken.filter(waiting => !zombies.includes(waiting))
  }

  /** What is durable now can be read. */
  #advance(partition: PartitionState, { base, next }: NewBatch, payload: Uint8Array): void {
    const batch = { records: new RecordBatch(base, payload), next, tombstonesUntil: null }
    this.#store.recent.add(partition.id, partition.next, batch)
    partition.next = next
    partition.bytes += payload.length
    partition.dirty += payload.length
  }
}

function statementsOf(
  batches: ReadonlyMap<PartitionState, readonly NewBatch[]>,
  publications: readonly Waiting[],
): Statement[] {
  const statements: Statement[] = []
  for (const [{ id }, added] of batches) {
    const bytes = added.reduce((sum, { payload }) => sum + payload.length, 0)
    statements.push(...added.map(batch => insertBatch(id, batch)), appended(id, added.at(-1)!.next, bytes))
  }
  for (const { settles } of publications)
    if (settles) statements.push(putPosition(settles.group, settles.partition.id, settles.next))
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

/** Gives each record its offset and adds it to its partition's. @returns the offsets, in order */
function place(
  records: Records,
  targets: readonly PartitionState[],
  placed: Map<PartitionState, PlacedRecord[]>,
  now: number,
): number[] {
  return records.map(({ key, value, headers, timestamp = now }, i) => {
    const partition = targets[i]!
    const list = placed.get(partition) ?? []
    if (list.length === 0) placed.set(partition, list)
    const offset = partition.next + list.length
    list.push(headers ? { key, value, headers, timestamp, offset } : { key, value, timestamp, offset })
    return offset
  })
}
