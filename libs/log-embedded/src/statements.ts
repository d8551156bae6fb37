import type { SQLInputValue } from 'node:sqlite'
import type { PublishOptions, TopicOptions } from '@eddy/log'
import { checksum } from './checksum.ts'
import { PACKED_LENGTH } from './compression.ts'

/** One statement of a transaction; what it returns (RETURNING) comes back with the commit. */
export interface Statement {
  readonly sql: string
  readonly values: readonly SQLInputValue[]
}

/** A batch about to be stored. */
export interface NewBatch {
  readonly base: number
  /** offset after the batch */
  readonly next: number
  /** the newest of its timestamps */
  readonly newest: number
  readonly tombstonesUntil: number | null
  readonly payload: Uint8Array
}

// Several authors change a partition, each its own columns and sums by differences: no transaction undoes another's.

export const insertBatch = (partition: number, batch: NewBatch): Statement => ({
  sql: 'INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?)',
  values: [partition, batch.base, batch.next, batch.newest, batch.tombstonesUntil, batch.payload],
})

/** In place: a batch that moved would leave traces of itself in pages that are in use. */
export const replaceBatch = (partition: number, batch: NewBatch): Statement => ({
  sql: 'UPDATE batch SET base = ?2, newest = ?4, tombstones_until = ?5, payload = ?6 WHERE partition = ?1 AND next = ?3',
  values: [partition, batch.base, batch.next, batch.newest, batch.tombstonesUntil, batch.payload],
})

/** Batches that end after `after` and at or before `upTo`. */
export const deleteBatches = (partition: number, after: number, upTo: number): Statement => ({
  sql: 'DELETE FROM batch WHERE partition = ? AND next > ? AND next <= ?',
  values: [partition, after, upTo],
})

/** @param bytes of the payloads that were added */
export const appended = (partition: number, next: number, bytes: number): Statement => ({
  sql: 'UPDATE partition SET next = ?, bytes = bytes + ?, dirty = dirty + ? WHERE id = ?',
  values: [next, bytes, bytes, partition],
})

/** @param bytes of the payloads that were added less those that were dropped */
export const resized = (partition: number, bytes: number): Statement => ({
  sql: 'UPDATE partition SET bytes = bytes + ? WHERE id = ?',
  values: [bytes, partition],
})

export const startsAt = (partition: number, start: number): Statement => ({
  sql: 'UPDATE partition SET start = ? WHERE id = ?',
  values: [start, partition],
})

/** Returns `dirty`, the payload bytes from `end` on. */
export const compactedTo = (partition: number, end: number): Statement => ({
  sql: `UPDATE partition SET compacted = ?1,
    dirty = (SELECT coalesce(sum(${PACKED_LENGTH}), 0) FROM batch WHERE partition = ?2 AND next > ?1) WHERE id = ?2 RETURNING dirty`,
  values: [end, partition],
})

export const putPosition = (group: string, partition: number, next: number): Statement => ({
  sql: 'INSERT OR REPLACE INTO group_position VALUES (?, ?, ?, ?)',
  values: [group, partition, next, checksum(group, partition, next)],
})

/** So that one that is missing is missed: after a new one. */
export const countPositions: Statement = {
  sql: "INSERT OR REPLACE INTO meta SELECT 'positions', count(*) FROM group_position",
  values: [],
}

export const putTopic = (name: string, options: TopicOptions): Statement => ({
  sql: 'INSERT OR REPLACE INTO topic VALUES (?, ?, ?, ?, ?)',
  values: [name, options.partitions, options.cleanup, options.retentionMs ?? null, options.retentionBytes ?? null],
})

export const createPartition = (id: number, topic: string, number: number): Statement => ({
  sql: 'INSERT INTO partition (id, topic, number, start, next, bytes, compacted, dirty) VALUES (?, ?, ?, 0, 0, 0, 0, 0)',
  values: [id, topic, number],
})

export const putRemembered = ({
  key,
  fingerprint,
  answer,
  until,
}: NonNullable<PublishOptions['remember']>): Statement => ({
  sql: 'INSERT OR REPLACE INTO remembered VALUES (?, ?, ?, ?)',
  values: [key, fingerprint, answer, until],
})

export const forgetRemembered = (now: number): Statement => ({
  sql: 'DELETE FROM remembered WHERE until <= ?',
  values: [now],
})

/** Whether nothing that was ever deleted is left in the file, but for gaps inside pages: those are swept. */
export const WIPED = 'wiped'

export const deleteMeta = (name: string): Statement => ({
  sql: 'DELETE FROM meta WHERE name = ?',
  values: [name],
})

/** A value of the log as a whole, by its name. */
export const putMeta = (name: string, value: number | string): Statement => ({
  sql: 'INSERT OR REPLACE INTO meta VALUES (?, ?)',
  values: [name, value],
})
