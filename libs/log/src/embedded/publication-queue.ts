import { LogError, type Publication, type PublishOptions } from '../event-log.ts'
import { targetPartition } from '../target-partition.ts'
import { EmbeddedDelivery } from './consumer.ts'
import { explain, isIndefinite } from './errors.ts'
import { type PlacedRecord, packBatch, packedSize } from './record-batch.ts'
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

/** Group commit: everything published in one turn of the event loop shares one transaction and one fsync. */
export class PublicationQueue {
  readonly #store: Store
  readonly #clock: () => number
  readonly #onCommit: (partitions: Iterable<PartitionState>) => void
  #waiting: Waiting[] = []
  #planned = false
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
          return partitions[targetPartition(record, partitions.length, options.cleanup, topic, i)]!
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

  #plan(): void {
    if (this.#planned) return
    this.#planned = true
    setImmediate(() => {
      this.#planned = false
      this.flush()
    })
  }

  /** Commits what waits, all of it. */
  flush(): void {
    while (this.#waiting.length > 0) {
      let bytes = 0
      const end = this.#waiting.findIndex(waiting => {
        bytes += waiting.bytes
        return bytes > TRANSACTION_BYTES
      })
      this.#commit(this.#waiting.splice(0, end < 0 ? this.#waiting.length : Math.max(1, end)))
    }
  }

  #commit(taken: readonly Waiting[]): void {
    const zombies = taken.filter(waiting => waiting.settles?.deliveries.some(isSuperseded))
    for (const { settles, reject } of zombies)
      reject(
        new LogError(
          `settles: expected deliveries of a partition this member holds, got ones of ${settles!.partition.topic}/${settles!.partition.number}, ` +
            'which has been given to another member since. Nothing was stored; the other member does the work.',
        ),
      )
    const live = zombies.length === 0 ? taken : taken.filter(waiting => !zombies.includes(waiting))
    if (this.#failure) {
      for (const { reject } of live) reject(this.#failure)
      return
    }
    const now = this.#clock()
    const placed = new Map<PartitionState, PlacedRecord[]>()
    const offsets = live.map(({ groups }) => groups.map(({ records, targets }) => place(records, targets, placed, now)))
    const after = new Map<PartitionState, { next: number; bytes: number; dirty: number }>()
    try {
      this.#store.transaction(() => {
        for (const [partition, records] of placed) {
          const bytes = this.#append(partition, records)
          const state = {
            next: partition.next + records.length,
            bytes: partition.bytes + bytes,
            dirty: partition.dirty + bytes,
          }
          this.#store.savePartition({ ...partition, ...state })
          after.set(partition, state)
        }
        for (const { settles } of live)
          if (settles) this.#store.savePosition(settles.group, settles.partition, settles.next)
      })
    } catch (error) {
      const failure = explain(error, this.#store.file)
      if (isIndefinite(error)) this.#failure = failure
      for (const { reject } of live) reject(failure)
      return
    }
    for (const [partition, state] of after) Object.assign(partition, state)
    for (const [i, { resolve }] of live.entries()) resolve(offsets[i]!)
    this.#onCommit(after.keys())
  }

  /** Stores records as batches. @returns the bytes they take */
  #append(partition: PartitionState, records: readonly PlacedRecord[]): number {
    let stored = 0
    for (let from = 0; from < records.length; ) {
      let to = from
      let newest = -Infinity
      for (let bytes = 0; to < records.length && to - from < BATCH_RECORDS; to++) {
        const size = packedSize(records[to]!)
        if (to > from && bytes + size > BATCH_BYTES) break
        bytes += size
        newest = Math.max(newest, records[to]!.timestamp)
      }
      const base = partition.next + from
      const payload = packBatch(base, records.slice(from, to))
      this.#store.insertBatch(partition, { base, next: partition.next + to, newest, tombstonesUntil: null, payload })
      stored += payload.length
      from = to
    }
    return stored
  }
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
