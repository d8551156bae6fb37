import { createRequire } from 'node:module'
import { KafkaJSNonRetriableError } from './kafkajs.ts'
import { claim } from './kafkajs-claim.ts'
import { markUnstableOffsets } from './kafkajs-stable-offsets.ts'

/*
 * kafkajs 2.2.4 has had no release since 2023 (the version is pinned), so what is wrong with it is put right here:
 *
 * 1. `read_committed` lets aborted records through when aborted transactions overlap: it takes the list of aborted
 *    transactions to be sorted, steps into at most one a record, and takes any record with the key 00000000 for an
 *    abort marker. We filter a fetched partition ourselves, and hand it on without a list.
 * 2. An offset out of range is answered by silently seeking to the default, and committing that. We fail instead.
 * 3. The end of a partition is asked for as the last stable offset, which may lag behind what was committed. We ask for
 *    the high watermark, as everybody else does.
 * 4. A negative timeout is set whenever its request queue is late, and Node 24 warns about it.
 * 5. A committed offset that a transaction is about to move looks like any other: kafkajs-stable-offsets.ts.
 * 6. A fetch of nothing but markers and aborted records is kept from eachBatch, and with it where it was fetched. We hand
 *    it out, with no messages.
 * 7. Fetchers that begin after the consumer was stopped (the brokers changed in the same moment) ask for nothing in a loop
 *    that never gives way: the process no longer hears anything. We end them.
 */

interface Message {
  readonly offset: string
  readonly key: Buffer | null
  isControlRecord: boolean
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean }
}

export interface FetchedPartition {
  abortedTransactions?: { producerId: string; firstOffset: string }[] | null
  readonly messages: readonly Message[]
}

/**
 * Marks the records of aborted transactions as control records, which are never handed out but still counted as read.
 * As org.apache.kafka.clients.consumer.internals.CompletedFetch.
 */
export function hideAborted(partition: FetchedPartition): void {
  const waiting = (partition.abortedTransactions ?? [])
    .map(({ producerId, firstOffset }) => ({ producerId: String(producerId), firstOffset: Number(firstOffset) }))
    .sort((a, b) => a.firstOffset - b.firstOffset)
  partition.abortedTransactions = []
  if (waiting.length === 0) return
  const aborted = new Set<string>()
  for (const message of partition.messages) {
    const offset = Number(message.offset)
    while (waiting.length > 0 && waiting[0]!.firstOffset <= offset) aborted.add(waiting.shift()!.producerId)
    const producer = String(message.batchContext.producerId)
    if (message.isControlRecord) {
      // Key of a control record: i16 version, i16 type; type 0 is ABORT.
      if (message.key?.readInt16BE(2) === 0) aborted.delete(producer)
    } else if (message.batchContext.inTransaction && aborted.has(producer)) message.isControlRecord = true
  }
}

type Patchable = { prototype: Record<string, (...arguments_: unknown[]) => unknown> }
type RequestQueue = { throttledUntil: number; readonly pending: readonly unknown[] }
interface Runner {
  readonly running: boolean
  readonly fetchManager: { stop(): Promise<void> }
}
type Fetched = { responses: { partitions: FetchedPartition[] }[] }

const require = createRequire(import.meta.url)
const READ_UNCOMMITTED = 0

/** Puts kafkajs right, once a process. */
export function repairKafkajs(): void {
  const broker = require('kafkajs/src/broker/index.js') as Patchable
  if (!claim(broker, 'repaired')) return
  markUnstableOffsets(broker)

  const fetch = broker.prototype.fetch!
  broker.prototype.fetch = async function (...arguments_) {
    let fetched: Fetched
    try {
      fetched = (await fetch.apply(this, arguments_)) as Fetched
    } catch (error) {
      const { name, message, topic, partition } = error as Error & { topic?: string; partition?: number }
      if (name !== 'KafkaJSOffsetOutOfRange') throw error
      throw new KafkaJSNonRetriableError(
        `offset out of range in ${topic}/${partition}: retention dropped what was to be read next (${message})`,
      )
    }
    for (const { partitions } of fetched.responses) for (const partition of partitions) hideAborted(partition)
    return fetched
  }

  const listOffsets = broker.prototype.listOffsets!
  broker.prototype.listOffsets = function (request) {
    return listOffsets.call(this, { ...(request as object), isolationLevel: READ_UNCOMMITTED })
  }

  const batch = require('kafkajs/src/consumer/batch.js') as { prototype: { rawMessages: readonly unknown[] } }
  Object.assign(batch.prototype, {
    isEmpty(this: typeof batch.prototype) {
      return this.rawMessages.length === 0
    },
  })

  const runner = require('kafkajs/src/consumer/runner.js') as Patchable
  const fetchFrom = runner.prototype.fetch!
  runner.prototype.fetch = function (this: Runner, node) {
    if (!this.running) void this.fetchManager.stop()
    return fetchFrom.call(this, node)
  }

  const queue = require('kafkajs/src/network/requestQueue/index.js') as Patchable
  const schedule = queue.prototype.scheduleCheckPendingRequests!
  queue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    const { throttledUntil, pending } = this
    // A little from now instead of before now; there is nothing to be sent then anyway.
    if (pending.length === 0 && throttledUntil < Date.now()) this.throttledUntil = Date.now() + 10
    schedule.call(this)
    this.throttledUntil = throttledUntil
  }
}
