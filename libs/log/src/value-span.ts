import type { StoredRecord } from './event-log.ts'
import { PackedRecord } from './packed-records.ts'

/** Where a record's value lies: among the records it is packed with, or in its own bytes. Used again and again, without a view a record. */
export class ValueSpan {
  bytes: Uint8Array = new Uint8Array()
  start = 0
  end = 0

  /** Moves to a record's value; null is as empty. */
  moveTo(record: StoredRecord): void {
    if (record instanceof PackedRecord) {
      const { batch, index } = record
      this.bytes = batch.bytes
      this.start = batch.valueStart(index)
      this.end = this.start + Math.max(0, batch.valueLength(index))
    } else {
      this.bytes = record.value ?? NOTHING
      this.start = 0
      this.end = this.bytes.length
    }
  }
}

const NOTHING = new Uint8Array()
