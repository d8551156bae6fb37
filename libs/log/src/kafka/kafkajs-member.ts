import { randomUUID } from 'node:crypto'
import type { EachBatchPayload, IHeaders, Kafka, KafkaMessage } from 'kafkajs'
import type { StoredRecord } from '../event-log.ts'
import type { KafkaMember, MemberEvents } from './driver.ts'
import { ANONYMOUS } from './options.ts'
import { stickyAssigner } from './sticky-assigner.ts'

/** Longest a fetch waits for records, and longest a partition waits for its first fetch, milliseconds. */
const MAX_WAIT_MS = 50

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
  const groupId = group ?? `${ANONYMOUS}${randomUUID()}`

  /** Work in progress may go on for a third of the session: then the group must hear of us again. */
  const beforeJoin = async (): Promise<void> => {
    const patience = new AbortController()
    const timeout = setTimeout(() => patience.abort(), sessionTimeout / 3)
    const expired = new Promise<void>(resolve => patience.signal.addEventListener('abort', () => resolve()))
    await Promise.race([events.drain(), expired])
    clearTimeout(timeout)
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
    const { fetchedOffset } = batch as typeof batch & { fetchedOffset: string }
    events.fetched(partition, Number(fetchedOffset), batch.messages.map(recordOf), next, Number(batch.highWatermark))
  }

  const running = (async () => {
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({ eachBatch, eachBatchAutoResolve: false, autoCommit: false })
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

function recordOf({ offset, key, value, headers, timestamp }: KafkaMessage): StoredRecord {
  return { offset: Number(offset), key, value, headers: headersOf(headers), timestamp: Number(timestamp) }
}

const NONE: Readonly<Record<string, Uint8Array>> = Object.freeze({})

/** The last of several headers of one name counts. */
function headersOf(headers: IHeaders | undefined): Readonly<Record<string, Uint8Array>> {
  let result: Record<string, Uint8Array> | undefined
  for (const name in headers) {
    const value = headers[name]
    const last = Array.isArray(value) ? value.at(-1) : value
    if (last === undefined) continue
    result ??= Object.create(null) as Record<string, Uint8Array>
    result[name] = typeof last === 'string' ? Buffer.from(last) : last
  }
  return result ?? NONE
}
