import type { OutgoingRecord, PartitionOffsets, StoredRecord, TopicOptions } from '@eddy/log'

/**
 * What the Kafka log needs of a client library: everything that is the same for all of them stands above
 * (kafka-log.ts), everything that is peculiar to one of them below.
 */
export interface KafkaDriver {
  readonly admin: KafkaAdmin
  /** A producer; transactional if it has an id, else idempotent. */
  producer(transactionalId?: string): KafkaProducer
  /** Joins a group as a new member. Without a group the member has all partitions. */
  join(topic: string, group: string | undefined, events: MemberEvents): KafkaMember
  close(): Promise<void>
}

export interface TopicDescription extends Pick<TopicOptions, 'cleanup' | 'retentionMs' | 'retentionBytes'> {
  readonly partitions: number
}

/**
 * Questions to the cluster. Each is answered for everything that was asked for, or rejects: of what an answer leaves out nothing is known
 * (`complete`). A group has no position where the broker said so, and nowhere else.
 */
export interface KafkaAdmin {
  describe(topic: string): Promise<TopicDescription | undefined>
  /** @param replicas copies of each partition; default the brokers' own */
  create(
    topic: string,
    settings: Readonly<Record<string, string>>,
    partitions: number,
    replicas?: number,
  ): Promise<void>
  /** How many brokers there are now. */
  brokers(): Promise<number>
  alterRetention(topic: string, options: TopicOptions): Promise<void>
  /** How many partitions a topic has now, the topic being there. */
  partitions(topic: string): Promise<number>
  /** Start and high watermark of these partitions, in their order. */
  offsets(topic: string, partitions: readonly number[]): Promise<PartitionOffsets[]>
  /** Committed offsets of these partitions, as they are; an unfinished transaction may still move them. */
  committed(group: string, topic: string, partitions: readonly number[]): Promise<Map<number, number>>
  /** The offset of one partition, once no transaction can move it any more (KIP-447). */
  stablePosition(group: string, topic: string, partition: number): Promise<number | undefined>
}

/** Records for one partition that fit in one record batch. */
export interface ProduceBatch {
  readonly topic: string
  readonly partition: number
  readonly records: readonly OutgoingRecord[]
}

export interface Commit {
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export interface KafkaProducer {
  /** Takes the transactional id: whoever had it is fenced off, and what it left open is aborted when this resolves. */
  initialise(): Promise<void>
  /**
   * Sends the batches in order; with a transactional id, in one transaction that also commits the positions.
   * @returns the first offset of each batch
   */
  send(batches: readonly ProduceBatch[], commits: readonly Commit[]): Promise<number[]>
  close(): Promise<void>
}

export interface KafkaMember {
  /** Fetches the partition from here on. Called again after each assignment, also for partitions that stayed. */
  start(partition: number, offset: number): void
  pause(partition: number): void
  resume(partition: number): void
  leave(): Promise<void>
}

export interface MemberEvents {
  /** The group is about to be shared out anew: resolves when nothing is outstanding. The driver waits only so long. */
  drain(): Promise<void>
  /** The member's partitions; nothing is fetched before `start`. A new member id means that others may have had them. */
  assigned(partitions: readonly number[], memberId: string): void
  /**
   * Committed records of a partition, fetched at `fetchedOffset`; perhaps none, when there were only markers.
   * @param fetchedOffset the position that was asked for
   * @param nextOffset where the next fetch goes on
   * @param endOffset the high watermark
   */
  fetched(
    partition: number,
    fetchedOffset: number,
    records: readonly StoredRecord[],
    nextOffset: number,
    endOffset: number,
  ): void
  failed(error: unknown): void
}

/** A transactional id was taken by another producer. */
export class FencedError extends Error {
  override readonly name = 'FencedError'
}

/** Certainly nothing was stored or will be seen; but the producer may not be used again. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
}
