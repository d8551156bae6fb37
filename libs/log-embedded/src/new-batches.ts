import type { OutgoingRecord } from '@eddy/log'
import { PackedRecords, packedSize, packRecords } from '@eddy/log/adapter'
import type { NewBatch } from './statements.ts'

/** A stored batch ends here, so that readers hold little and compaction works in small steps. */
const BATCH_RECORDS = 4096
const BATCH_BYTES = 1 << 20
/** Batches of fewer records are stored together with their neighbours. */
const SMALL_RECORDS = 64

/** Whether records that are packed already may be stored as they are. */
export const fitsOneBatch = ({ count, bytes }: PackedRecords): boolean =>
  count <= BATCH_RECORDS && bytes.length <= BATCH_BYTES

/**
 * Records as batches to be stored, at consecutive offsets from `base` on.
 * @param now of the records without a timestamp, milliseconds since 1970-01-01 UTC
 */
export function newBatches(base: number, records: readonly OutgoingRecord[], now: number): NewBatch[] {
  const batches: NewBatch[] = []
  for (let from = 0; from < records.length; ) {
    let to = from
    let newest = -Infinity
    let bytes = 0
    for (; to < records.length && to - from < BATCH_RECORDS; to++) {
      const record = records[to]!
      const size = packedSize(record)
      if (to > from && bytes + size > BATCH_BYTES) break
      bytes += size
      const { timestamp = now } = record
      if (timestamp > newest) newest = timestamp
    }
    const part = from === 0 && to === records.length ? records : records.slice(from, to)
    const payload = packRecords(base + from, part, { now, bytes })
    batches.push({ base: base + from, next: base + to, newest, tombstonesUntil: null, payload })
    from = to
  }
  return batches
}

/** Small neighbours of one partition as one batch: records published one by one do not take a row each. */
export function joinSmall(batches: readonly NewBatch[]): NewBatch[] {
  const joined: NewBatch[] = []
  for (let from = 0; from < batches.length; ) {
    let to = from
    while (to < batches.length && isSmall(batches[to]!) && batches[to]!.next - batches[from]!.base <= BATCH_RECORDS)
      to++
    joined.push(to > from + 1 ? join(batches.slice(from, to)) : batches[from]!)
    from = Math.max(to, from + 1)
  }
  return joined
}

const isSmall = ({ base, next, payload }: NewBatch): boolean =>
  next - base < SMALL_RECORDS && payload.length < BATCH_BYTES / SMALL_RECORDS

function join(batches: readonly NewBatch[]): NewBatch {
  const { base } = batches[0]!
  const records = batches.flatMap(({ base, payload }) => {
    const batch = new PackedRecords(base, payload)
    return Array.from({ length: batch.count }, (_, i) => batch.recordAt(i))
  })
  const newest = Math.max(...batches.map(batch => batch.newest))
  return { base, next: batches.at(-1)!.next, newest, tombstonesUntil: null, payload: packRecords(base, records) }
}
