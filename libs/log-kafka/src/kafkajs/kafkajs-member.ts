import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { StoredRecord } from '@eddy/log'
import type { EachBatchPayload, Kafka } from 'kafkajs'
import type { KafkaMember, MemberEvents } from '../driver.ts'
import { ANONYMOUS } from '../options.ts'
import { patiently } from './kafkajs-patience.ts'
import type { FetchedBatch } from './kafkajs-record-batches.ts'
import { stickyAssigner } from './sticky-assigner.ts'

/** Longest a fetch waits for records, and longest a partition waits for its first fetch, milliseconds. */
const MAX_WAIT_MS = 50

/**
 * After a fetch that brought few records a member of a group rests, milliseconds: records that come one by one are fetched
 * together, instead of each by a request of its own.
 */
const REST_MS = 2
const FEW_RECORDS = 256
/** Partitions of one fetch that rest side by side. */
const HANDLERS = 16

export function joinGroup(
  kafka: Kafka,
  topic: string,
  group: string | undefined,
  sessionTimeout: number,
  events: MemberEvents,
): KafkaMember {
  /** Where the library fetches next, for each partition that was started. */
  const positions = new Map<number, number>()
  let left = false
  const isLeft = (): boolean => left
  const groupId = group ?? `${ANONYMOUS}${randomUUID()}`

  /** Work in progress may go on for a third of the session: then the group must hear of us again. */
  const beforeJoin = async (): Promise<void> => {
    const patience = new AbortController()
    await Promise.race([
      events.drain(),
      setTimeout(sessionTimeout / 3, undefined, { signal: patience.signal }).catch(() => {}),
    ])
    patience.abort()
  }

  const consumer = kafka.consumer({
    groupId,
    sessionTimeout,
    heartbeatInterval: Math.min(500, sessionTimeout / 10),
    rebalanceTimeout: Math.max(60_000, sessionTimeout),
    maxWaitTimeInMs: MAX_WAIT_MS,
    maxBytesPerPartition: 1 << 20,
    allowAutoTopicCreation: false,
    partitionAssigners: [stickyAssigner(topic, () => [...positions.keys()], beforeJoin)],
    // The library gives up joining at errors that pass (a coordinator that is still loading): it may then start again,
    // as a new member. If that does not help, the consumer's watchdog ends it.
    retry: { initialRetryTime: 50, factor: 0, maxRetryTime: 1_000, retries: 20, restartOnFailure: async () => !left },
  })
  consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
    if (!left && !restart) events.failed(error)
  })
  consumer.on(consumer.events.GROUP_JOIN, ({ payload: { memberId, memberAssignment } }) => {
    if (left) return
    const partitions = memberAssignment[topic] ?? []
    for (const partition of [...positions.keys()]) if (!partitions.includes(partition)) positions.delete(partition)
    // The library now goes back to the committed offsets: nothing may be fetched before it is told where from.
    consumer.pause([{ topic, partitions }])
    events.assigned(partitions, memberId)
  })
  const eachBatch = async ({ batch, resolveOffset, isRunning, isStale }: EachBatchPayload): Promise<void> => {
    if (left || !isRunning() || isStale()) return
    const { partition } = batch
    const next = Number(batch.lastOffset()) + 1
    resolveOffset(batch.lastOffset())
    positions.set(partition, next)
    const fetched = Number((batch as typeof batch & { fetchedOffset: string }).fetchedOffset)
    const records = recordsFrom(batch.messages, fetched)
    events.fetched(partition, fetched, records, next, Number(batch.highWatermark))
    // The library fetches again when this is over, for every partition of the fetch.
    if (group !== undefined && records.length < FEW_RECORDS) await setTimeout(REST_MS)
  }

  const running = (async () => {
    await patiently(() => consumer.connect(), isLeft)
    await patiently(() => consumer.subscribe({ topic, fromBeginning: true }), isLeft)
    await consumer.run({
      eachBatch,
      eachBatchAutoResolve: false,
      autoCommit: false,
      partitionsConsumedConcurrently: HANDLERS,
    })
  })()
  running.catch(error => {
    if (!left) events.failed(error)
  })

  return {
    start(partition, offset) {
      positions.set(partition, offset)
      consumer.seek({ topic, partition, offset: `${offset}` })
      consumer.resume([{ topic, partitions: [partition] }])
    },
    pause(partition) {
      consumer.pause([{ topic, partitions: [partition] }])
    },
    resume(partition) {
      consumer.resume([{ topic, partitions: [partition] }])
    },
    async leave() {
      left = true
      // Only a member that has joined can leave; one that vanished would hold up the group until its session ends.
      await running.catch(() => {})
      await consumer.disconnect().catch(() => {})
    },
  }
}

/** A batch may begin before the offset that was asked for. */
function recordsFrom(batches: readonly unknown[], offset: number): readonly StoredRecord[] {
  const records = (batches as readonly FetchedBatch[]).flatMap(batch => batch.records)
  return records.length === 0 || records[0]!.offset >= offset
    ? records
    : records.filter(record => record.offset >= offset)
}
