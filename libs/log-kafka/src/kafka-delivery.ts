import type { Delivery, StoredRecord } from '@eddy/log'
import type { Cursor } from './cursor.ts'

/** A delivery that knows whose it was: who lost the partition since may no longer settle it. */
export class KafkaDelivery implements Delivery {
  readonly topic: string
  readonly partition: number
  readonly records: readonly StoredRecord[]
  readonly nextOffset: number
  readonly endOffset: number
  readonly cursor: Cursor
  readonly #onAck: () => void
  #acknowledged = false

  constructor(topic: string, cursor: Cursor, records: readonly StoredRecord[], nextOffset: number, onAck: () => void) {
    this.topic = topic
    this.partition = cursor.partition
    this.records = records
    this.nextOffset = nextOffset
    this.endOffset = Math.max(cursor.endOffset, nextOffset)
    this.cursor = cursor
    this.#onAck = onAck
  }

  ack(): void {
    if (this.#acknowledged) return
    this.#acknowledged = true
    this.#onAck()
  }
}
