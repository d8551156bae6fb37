import { LogError, type OutgoingRecord, PackedPublication, type Publication, type PublishOptions } from '@eddy/log'
import { PackedRecords, targetPartition } from '@eddy/log/adapter'
import { EmbeddedDelivery } from './embedded-delivery.ts'
import { explain, isFull, isIndefinite } from './errors.ts'
import { fitsOneBatch, joinSmall, newBatches } from './new-batches.ts'
import type { PartitionState } from './partition-state.ts'
import {
  appended,
  countPositions,
  insertBatch,
  type NewBatch,
  putPosition,
  putRemembered,
  type Statement,
} from './statements.ts'
import type { Store } from './store.ts'
import { isWorkWaiting } from './turns.ts'

/** A transaction takes no further publication beyond this. */
const TRANSACTION_BYTES = 16 << 20

/** While the event loop has other work, a transaction waits until so much shares it… */
const SHARED_BYTES = 512 << 10

/** …or until so long after the last one began, milliseconds. */
const SHARED_MS = 4

/** Members of groups are handed nothing more while this much waits for the disk. */
const FULL_BYTES = 8 << 20

/** How often it is looked whether a full disk has room again, milliseconds. */
const RETRY_MS = 500

const never = (): boolean => false

/** A publication that has its place and waits for its transaction. */
interface Placed {
  readonly batches: readonly (readonly [PartitionState, NewBatch])[]
  readonly settles: Settlement | undefined
  readonly remember: PublishOptions['remember']
  readonly patient: () => boolean
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
  /** told how long a transaction with publications took, its wait for the disk included, seconds */
  readonly onCommitted: (seconds: number) => void
  /** told when records that had a place have lost it */
  readonly onRollback: (error: LogError, lost: ReadonlySet<PartitionState>) => void
  /** whether somebody was handed records of these partitions that are not durable */
  readonly hasTaken: (partitions: ReadonlySet<PartitionState>) => boolean
}

/**
 * Publications get their place in the log at once and become durable in that order. Group commit: all that is placed while one
 * transaction is under way shares the next one, and its fsync; while the event loop has other work, so does what is placed in the few
 * milliseconds after. When a transaction fails, so does everything placed since it began: it may rest on what was lost.
 */
export class PublicationQueue {
  readonly #options: PublicationQueueOptions
  #waiting: Placed[] = []
  #bytes = 0
  #planned = false
  #committing: Promise<void> | undefined
  #last: Promise<void> = Promise.resolve()
  #failure: LogError | undefined
  #began = 0
  #retry: NodeJS.Timeout | undefined
  #closing = false

  constructor(options: PublicationQueueOptions) {
    this.#options = options
  }

  async publish(
    publications: readonly Publication[],
    { settles, remember, patient = never }: PublishOptions,
  ): Promise<number[][]> {
    if (this.#failure) throw this.#failure
    const { store, clock, onMoved } = this.#options
    const records = new Map<PartitionState, OutgoingRecord[]>()
    const batches: (readonly [PartitionState, NewBatch])[] = []
    const offsets = publications.map(publication => {
      const packed = packedBatch(publication, publications, store)
      if (packed === undefined) return place(publication, store, records)
      batches.push(packed)
      const [, { base, next }] = packed
      const placed: number[] = []
      for (let offset = base; offset < next; offset++) placed.push(offset)
      return placed
    })
    const settlement = settles && this.#settlement(settles)
    const now = clock()
    for (const [partition, placed] of records)
      for (const batch of newBatches(partition.placed, placed, now)) batches.push([partition, batch])
    for (const [partition, { base, next, newest, payload }] of batches) {
      store.recent.add(partition, { records: new PackedRecords(base, payload), next, newest, tombstonesUntil: null })
      partition.placed = next
    }
    const bytes = batches.reduce((sum, [, { payload }]) => sum + payload.length, 0)
    const durable = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ batches, settles: settlement, remember, patient, bytes, resolve, reject })
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

  /** Begins a transaction with what waits, unless one is under way or more is about to come. */
  #next(): void {
    if (this.#committing || this.#retry || this.#waiting.length === 0) return
    if (this.#bytes < SHARED_BYTES && isWorkWaiting() && performance.now() - this.#began < SHARED_MS) {
      this.#plan()
      return
    }
    this.#began = performance.now()
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
    const { store, onMoved, onCommitted } = this.#options
    const stored = Map.groupBy(
      taken.flatMap(({ batches }) => batches),
      ([partition]) => partition,
    )
    const added = [...stored].map(([partition, batches]) =>
      addition(
        partition,
        batches.map(([, batch]) => batch),
      ),
    )
    const total = added.reduce((sum, { partition, next }) => sum + next - partition.next, store.total)
    try {
      await store.writer.transaction(statementsOf(added, taken, store), total)
    } catch (error) {
      if (!isFull(error) || !this.#waitForRoom(taken, error)) this.#rollBack(taken, error)
      return
    }
    onCommitted((performance.now() - this.#began) / 1000)
    store.total = total
    for (const { partition, next, bytes } of added) {
      partition.next = next
      partition.bytes += bytes
      partition.dirty += bytes
    }
    for (const { settles, bytes, resolve } of taken) {
      if (settles) store.moved(settles.group, settles.partition, settles.next)
      this.#bytes -= bytes
      resolve()
    }
    onMoved()
  }

  /** Whether publications wait for room on a full disk. */
  get waitsForRoom(): boolean {
    return this.#retry !== undefined
  }

  /** Nothing waits for room any more. */
  close(): void {
    this.#closing = true
    if (this.#retry) this.#tryAgain()
  }

  /**
   * Of what has a place, those who are patient keep it and wait for room; the others fail. Not where some of the former may rest on the
   * latter. @returns whether they wait
   */
  #waitForRoom(taken: readonly Placed[], error: unknown): boolean {
    const all = [...taken, ...this.#waiting]
    const patient = all.filter(each => !this.#closing && each.patient())
    const lost = all.filter(each => !patient.includes(each))
    const partitions = partitionsOf(lost)
    if (patient.length === 0 || this.#options.hasTaken(partitions)) return false
    if ([...partitionsOf(patient)].some(partition => partitions.has(partition))) return false
    this.#waiting = patient
    this.#lose(lost, explain(error, this.#options.store.file))
    this.#retry = setTimeout(() => this.#tryAgain(), RETRY_MS)
    return true
  }

  #tryAgain(): void {
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.#next()
  }

  #rollBack(taken: readonly Placed[], error: unknown): void {
    const failure = explain(error, this.#options.store.file)
    if (isIndefinite(error)) this.#failure = failure
    this.#lose([...taken, ...this.#waiting.splice(0)], failure)
  }

  #lose(lost: readonly Placed[], failure: LogError): void {
    const { store, onMoved, onRollback } = this.#options
    this.#bytes = this.#waiting.reduce((sum, { bytes }) => sum + bytes, 0)
    const partitions = partitionsOf(lost)
    for (const partition of partitions) {
      partition.placed = partition.next
      partition.losses = [...partition.losses, partition.next]
      store.recent.truncate(partition)
    }
    onRollback(failure, partitions)
    for (const { reject } of lost) reject(failure)
    onMoved()
  }
}

const partitionsOf = (placed: readonly Placed[]): Set<PartitionState> =>
  new Set(placed.flatMap(({ batches }) => batches.map(([partition]) => partition)))

/** What a transaction adds to a partition. */
interface Addition {
  readonly partition: PartitionState
  readonly batches: readonly NewBatch[]
  readonly next: number
  readonly bytes: number
}

function addition(partition: PartitionState, placed: readonly NewBatch[]): Addition {
  const batches = joinSmall(placed)
  const bytes = batches.reduce((sum, { payload }) => sum + payload.length, 0)
  return { partition, batches, next: batches.at(-1)!.next, bytes }
}

function statementsOf(added: readonly Addition[], publications: readonly Placed[], store: Store): Statement[] {
  const statements = added.flatMap(({ partition: { id }, batches, next, bytes }) => [
    ...batches.map(batch => insertBatch(id, batch)),
    appended(id, next, bytes),
  ])
  // The last position of each group in each partition is all that stays.
  const positions = new Map<PartitionState, Map<string, number>>()
  for (const { settles } of publications) {
    if (!settles) continue
    const groups = positions.get(settles.partition) ?? new Map<string, number>()
    positions.set(settles.partition, groups.set(settles.group, settles.next))
  }
  let isNew = false
  for (const [partition, groups] of positions)
    for (const [group, next] of groups) {
      statements.push(putPosition(group, partition.id, next))
      isNew ||= store.position(group, partition) === undefined
    }
  if (isNew) statements.push(countPositions)
  for (const { remember } of publications) if (remember) statements.push(putRemembered(remember))
  return statements
}

function isSuperseded(delivery: unknown): boolean {
  return delivery instanceof EmbeddedDelivery && delivery.cursor.superseded
}

function isLost(delivery: unknown): boolean {
  return delivery instanceof EmbeddedDelivery && delivery.lost
}

/**
 * A publication whose writer has packed it, as a batch at the end of its partition: where it is small enough for one and the only one of
 * its topic. Otherwise undefined, and its records are placed one by one.
 */
function packedBatch(
  publication: Publication,
  all: readonly Publication[],
  store: Store,
): readonly [PartitionState, NewBatch] | undefined {
  if (!(publication instanceof PackedPublication)) return undefined
  const { topic, packed, newest } = publication
  const { options, partitions } = store.topic(topic)
  const partition = partitions[publication.partition]
  if (partition === undefined || options.cleanup === 'compact' || !fitsOneBatch(packed)) return undefined
  if (all.some(other => other !== publication && other.topic === topic)) return undefined
  const base = partition.placed
  return [partition, { base, next: base + packed.count, newest, tombstonesUntil: null, payload: packed.bytes }]
}

/** Gives each record of a publication its offset and adds it to its partition's. @returns the offsets, in order */
function place({ topic, records }: Publication, store: Store, placed: Map<PartitionState, OutgoingRecord[]>): number[] {
  const { options, partitions } = store.topic(topic)
  const lists: OutgoingRecord[][] = []
  const offsets = new Array<number>(records.length)
  for (let i = 0; i < records.length; i++) {
    const record = records[i]!
    const number = targetPartition(record, partitions.length, options.cleanup, topic, i)
    const partition = partitions[number]!
    let list = lists[number]
    if (!list) {
      list = lists[number] = placed.get(partition) ?? []
      placed.set(partition, list)
    }
    offsets[i] = partition.placed + list.push(record) - 1
  }
  return offsets
}
