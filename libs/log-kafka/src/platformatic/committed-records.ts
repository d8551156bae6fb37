import type { StoredRecord } from '@eddy/log'
import type { Consumer, KafkaRecord } from '@platformatic/kafka'

const IS_TRANSACTIONAL = 0b1_0000
const IS_CONTROL = 0b10_0000
const LOG_APPEND_TIME = 0b1000

/** What a fetch brings of one partition. */
export type FetchedPartition = Awaited<ReturnType<Consumer['fetch']>>['responses'][number]['partitions'][number]

/**
 * The committed records of a fetched partition at or after `offset`, and where the next fetch goes on. The library's own
 * filter lets a transaction through whose abort marker is not in the same fetch; this one goes by the broker's list.
 * As org.apache.kafka.clients.consumer.internals.CompletedFetch.
 */
export function committedRecords(
  { records: batches, abortedTransactions }: Pick<FetchedPartition, 'records' | 'abortedTransactions'>,
  offset: number,
): { records: StoredRecord[]; next: number } {
  const waiting = [...(abortedTransactions ?? [])].sort((a, b) => Number(a.firstOffset - b.firstOffset))
  const aborted = new Set<bigint>()
  const records: StoredRecord[] = []
  let next = offset
  for (const batch of batches ?? []) {
    const base = Number(batch.firstOffset)
    const last = base + batch.lastOffsetDelta
    while (waiting.length > 0 && Number(waiting[0]!.firstOffset) <= last) aborted.add(waiting.shift()!.producerId)
    next = Math.max(next, last + 1)
    if (batch.attributes & IS_CONTROL) {
      // Key of a control record: i16 version, i16 type; type 0 is ABORT.
      if (batch.records[0]?.key?.readInt16BE(2) === 0) aborted.delete(batch.producerId)
      continue
    }
    if (batch.attributes & IS_TRANSACTIONAL && aborted.has(batch.producerId)) continue
    // Where the broker gives the time, all records of a batch have that of its append.
    const appended = batch.attributes & LOG_APPEND_TIME ? Number(batch.maxTimestamp) : undefined
    const firstTimestamp = Number(batch.firstTimestamp)
    for (const record of batch.records)
      if (base + record.offsetDelta >= offset)
        records.push(recordOf(record, base, appended ?? firstTimestamp + Number(record.timestampDelta)))
  }
  return { records, next }
}

const NONE: Readonly<Record<string, Uint8Array>> = Object.freeze({})

function recordOf(record: KafkaRecord, base: number, timestamp: number): StoredRecord {
  let headers = NONE
  if (record.headers.length > 0) {
    // The last of several headers of one name counts.
    const named: Record<string, Uint8Array> = Object.create(null)
    for (const [name, value] of record.headers) if (name && value) named[name.toString()] = value
    headers = named
  }
  return {
    offset: base + record.offsetDelta,
    key: record.key,
    value: record.value,
    headers,
    timestamp,
  }
}
