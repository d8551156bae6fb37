import type { DatabaseSync } from 'node:sqlite'
import { LogError } from '@eddy/log'
import { PackedRecords } from '@eddy/log/adapter'
import { checksum } from './checksum.ts'
import { decompressed } from './compression.ts'
import type { StoredBatch } from './partition-state.ts'

export interface BatchRow {
  readonly partition: number
  readonly base: number
  readonly next: number
  readonly newest: number
  readonly tombstones_until: number | null
  readonly payload: Uint8Array
}

interface Place {
  readonly topic: string
  readonly number: number
}

/** @throws LogError if what is stored is not what was written */
export function openBatch(row: BatchRow, { topic, number }: Place, file: string): StoredBatch {
  const { partition, base, next, newest, tombstones_until, payload } = row
  try {
    const seed = checksum(partition, base, next, newest, tombstones_until)
    return { records: opened(base, payload, seed), next, newest, tombstonesUntil: tombstones_until }
  } catch (error) {
    throw new LogError(
      `log ${file}: expected an intact batch at offset ${base} of ${topic}/${number}, got damaged bytes. Restore the directory from a backup, or move it away and replay the input.`,
      { cause: error },
    )
  }
}

function opened(base: number, payload: Uint8Array, seed: number): PackedRecords {
  const stored = intact(base, payload, seed)
  const batch = decompressed(payload)
  return batch === payload ? stored : new PackedRecords(base, batch)
}

/** Batches of the first format were sealed by themselves. */
function intact(base: number, payload: Uint8Array, seed: number): PackedRecords {
  try {
    return PackedRecords.open(base, payload, seed)
  } catch {
    return PackedRecords.open(base, payload)
  }
}

export const missing = (file: string, { topic, number }: Place, offset: number, found: number | undefined): LogError =>
  new LogError(
    `log ${file}: expected a batch at offset ${offset} of ${topic}/${number}, got ${found === undefined ? 'none' : `the next one at ${found}`}: what was ` +
      'stored there is missing. A copy made while the log was written to is torn (use `eddy backup`), or the file is damaged. Restore a backup.',
  )

/** What of a partition was gone through. */
export interface CheckedPartition extends Place {
  readonly start: number
  readonly next: number
  batches: number
  records: number
}

/**
 * Each batch of each partition begins where the one before it ends, from the partition's start to its end; and the last `newest` of them
 * are what was written.
 * @throws LogError at the first that is not
 */
export function checkChains(database: DatabaseSync, file: string, newest = Infinity): CheckedPartition[] {
  const partitions = database
    .prepare('SELECT id, topic, number, start, next FROM partition ORDER BY topic, number')
    .all()
  const ends = database.prepare('SELECT base, next FROM batch WHERE partition = ? ORDER BY next')
  const whole = database.prepare('SELECT * FROM batch WHERE partition = ? ORDER BY next DESC LIMIT ?')
  return partitions.map(row => {
    const { id, topic, number, start, next } = row as unknown as Omit<CheckedPartition, 'batches'> & { id: number }
    const checked: CheckedPartition = { topic, number, start, next, batches: 0, records: 0 }
    let end = start
    for (const batch of ends.iterate(id)) {
      if (batch.base !== end) throw missing(file, checked, end, batch.base as number)
      end = batch.next as number
      checked.batches++
    }
    if (end !== next) throw missing(file, checked, end, undefined)
    for (const batch of whole.iterate(id, newest === Infinity ? -1 : newest))
      checked.records += openBatch(batch as unknown as BatchRow, checked, file).records.count
    return checked
  })
}
