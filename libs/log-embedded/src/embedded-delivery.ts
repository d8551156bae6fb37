import type { Delivery, StoredRecord } from '@eddy/log'
import type { PartitionState, StoredBatch } from './partition-state.ts'

/** What a group asks of a member. */
export interface Member {
  /** A place in a partition that it now has; it begins there when it is told of its assignment. */
  grant(partition: number): Cursor
  /** Gives a partition up; whether it could at once, with nothing outstanding. */
  revoke(cursor: Cursor): boolean
  assigned(fresh: readonly Cursor[], changed: boolean): void
  acknowledge(cursor: Cursor): void
}

/** A consumer's place in one of its partitions. */
export interface Cursor {
  readonly consumer: Member
  readonly partition: PartitionState
  /** Next offset to hand out; undefined until `from` is resolved. */
  offset: number | undefined
  batch: StoredBatch | undefined
  /** offset after what was handed out last */
  handed: number
  outstanding: boolean
  /** To be given up once nothing is outstanding. */
  revoked: boolean
  released: boolean
  /** Another cursor has the partition now: what this one delivered may no longer be settled. */
  superseded: boolean
}

/** A delivery that remembers where it came from, so that a zombie's can be refused. */
export class EmbeddedDelivery implements Delivery {
  readonly topic: string
  readonly partition: number
  readonly records: readonly StoredRecord[]
  readonly nextOffset: number
  readonly endOffset: number
  readonly cursor: Cursor
  readonly #losses: number
  #acknowledged = false

  constructor(cursor: Cursor, records: readonly StoredRecord[], nextOffset: number, endOffset: number) {
    this.topic = cursor.partition.topic
    this.partition = cursor.partition.number
    this.records = records
    this.nextOffset = nextOffset
    this.endOffset = endOffset
    this.cursor = cursor
    this.#losses = cursor.partition.losses.length
  }

  /** Whether records of it have lost their place since it was handed out. */
  get lost(): boolean {
    return this.cursor.partition.losses.slice(this.#losses).some(from => from < this.nextOffset)
  }

  ack(): void {
    if (this.#acknowledged) return
    this.#acknowledged = true
    this.cursor.consumer.acknowledge(this.cursor)
  }
}
