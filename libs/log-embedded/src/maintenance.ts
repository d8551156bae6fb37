import type { Dropped, PackedRecord, TopicOptions } from '@eddy/log'
import { packRecords } from '@eddy/log/adapter'
import { PACKED_LENGTH } from './compression.ts'
import type { PartitionState } from './partition-state.ts'
import { compactedTo, deleteBatches, insertBatch, resized, startsAt } from './statements.ts'
import type { Store } from './store.ts'

/** Most batches and bytes one step touches: a step must not hold up the event loop. */
const STEP_BATCHES = 64
const STEP_BYTES = 1 << 20
/** Most offsets a batch covers: they are counted in 32 bits. */
const STEP_OFFSETS = 2 ** 31
/** Keys one compaction pass remembers; what is beyond waits for the next pass. */
const MAX_KEYS = 1_000_000

/**
 * Drops the oldest batches beyond the retention, a bounded number a step.
 * @param needed offset from which on everything is kept, whatever the retention
 * @returns what was dropped, if anything was
 */
export async function* retain(
  store: Store,
  partition: PartitionState,
  options: TopicOptions,
  now: number,
  needed: number,
): AsyncGenerator<void, Dropped | undefined> {
  const { topic, number, start: from, bytes } = partition
  yield* drop(store, partition, options, now, needed)
  const { start: to } = partition
  return to === from ? undefined : { topic, partition: number, from, to, bytes: bytes - partition.bytes }
}

async function* drop(
  store: Store,
  partition: PartitionState,
  options: TopicOptions,
  now: number,
  needed: number,
): AsyncGenerator<void> {
  const { retentionMs = Infinity, retentionBytes = Infinity } = options
  // Mostly the oldest batch may stay: the others are not looked at then.
  for (let batches = 1; ; batches = STEP_BATCHES) {
    const oldest = store
      .statement(
        `SELECT next, newest, ${PACKED_LENGTH} AS size FROM batch WHERE partition = ? AND next <= ? ORDER BY next LIMIT ?`,
      )
      .all(partition.id, partition.next, batches)
    let { start } = partition
    let dropped = 0
    for (const { next, newest, size } of oldest as { next: number; newest: number; size: number }[]) {
      if (next > needed || (newest >= now - retentionMs && partition.bytes - dropped - size < retentionBytes)) break
      start = next
      dropped += size
      // What is deleted is zeroed.
      if (dropped >= STEP_BYTES) break
    }
    if (start === partition.start) return
    await store.clear([
      deleteBatches(partition.id, partition.start, start),
      startsAt(partition.id, start),
      resized(partition.id, -dropped),
    ])
    partition.start = start
    partition.bytes -= dropped
    yield
  }
}

/** Whether compacting now would free enough to be worth it: half of the bytes are new since the last pass. */
export function worthCompacting(store: Store, partition: PartitionState, now: number): boolean {
  if (partition.dirty >= 1 << 16 && 2 * partition.dirty >= partition.bytes) return true
  return Boolean(
    store.statement('SELECT 1 FROM batch WHERE partition = ? AND tombstones_until <= ? LIMIT 1').get(partition.id, now),
  )
}

/**
 * Keeps the newest record of each key, as Kafka's log cleaner does: first the newest offset of every key in the part
 * written since the last pass, then every batch below is rewritten without the records that are older. A tombstone
 * stays `tombstoneMs` after it was first met, so that followers see the deletion. May be stopped after any step.
 */
export async function* compact(
  store: Store,
  partition: PartitionState,
  now: number,
  tombstoneMs: number,
): AsyncGenerator<void> {
  const newest = new Map<string, number>()
  const last = partition.next
  let end = partition.compacted
  for (let work = 0; newest.size < MAX_KEYS && end < last; ) {
    const batch = store.storedFrom(partition, end)
    if (!batch) break
    for (let i = 0; i < batch.records.count; i++) {
      const record = batch.records.recordAt(i)
      newest.set(nameOf(record), record.offset)
    }
    end = batch.next
    work += batch.records.bytes.length
    if (work >= STEP_BYTES) {
      work = 0
      yield
    }
  }
  for (let offset = partition.start; offset < end; ) {
    offset = await rewrite(store, partition, offset, end, newest, now, tombstoneMs)
    yield
  }
  const [answer] = await store.clear([compactedTo(partition.id, end)])
  partition.compacted = end
  partition.dirty = answer![0]!.dirty as number
}

/** Compacts one step's batches into one. @returns the offset to go on from */
async function rewrite(
  store: Store,
  partition: PartitionState,
  from: number,
  end: number,
  newest: ReadonlyMap<string, number>,
  now: number,
  tombstoneMs: number,
): Promise<number> {
  const kept: PackedRecord[] = []
  let bytes = 0
  let records = 0
  let next = from
  let tombstonesUntil: number | null = null
  let marks = false
  let latest = 0
  let batches = 0
  for (; batches < STEP_BATCHES && bytes < STEP_BYTES && next < end && next - from < STEP_OFFSETS; batches++) {
    const batch = store.storedFrom(partition, next)
    if (!batch) break
    const horizon = batch.tombstonesUntil ?? now + tombstoneMs
    for (let i = 0; i < batch.records.count; i++) {
      const record = batch.records.recordAt(i)
      if ((newest.get(nameOf(record)) ?? -1) > record.offset) continue
      if (record.value === null) {
        if (horizon <= now) continue
        tombstonesUntil = Math.max(tombstonesUntil ?? 0, horizon)
        marks ||= batch.tombstonesUntil === null
      }
      kept.push(record)
    }
    records += batch.records.count
    latest = Math.max(latest, batch.newest)
    bytes += batch.records.bytes.length
    next = batch.next
  }
  const isEmpty = records === 0 && batches > 1
  if (kept.length === records && !marks && !isEmpty) return next
  // Covers the same offsets, perhaps with no record at all: nothing is missing there.
  const payload = packRecords(from, kept, { offsets: kept.map(({ offset }) => offset) })
  const grown = payload.length - bytes
  await store.clear([
    deleteBatches(partition.id, from, next),
    insertBatch(partition.id, { base: from, next, newest: latest, tombstonesUntil, payload }),
    resized(partition.id, grown),
  ])
  store.recent.forget(partition)
  partition.bytes += grown
  return next
}

function nameOf(record: PackedRecord): string {
  return Buffer.from(record.key ?? []).toString('latin1')
}
