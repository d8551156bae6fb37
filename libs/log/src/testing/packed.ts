import type { OutgoingRecord } from '../event-log.ts'
import { type PackedRecord, PackedRecords, packRecords } from '../packed-records.ts'

/** The records as the embedded log hands them out: side by side in one buffer, at consecutive offsets from `base` on. */
export function packed(records: readonly OutgoingRecord[], base: number): PackedRecord[] {
  const batch = new PackedRecords(base, packRecords(base, records))
  return records.map((_, i) => batch.recordAt(i))
}
