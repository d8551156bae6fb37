import { asyncValues, type EventLog } from '@eddy/log'
import type { Snapshot } from '@eddy/messages'
import { SnapshotAssembler } from './snapshot-records.ts'

/**
 * Every snapshot that is stored and can be read, in the order of the topic; of one version the last.
 * @param onDamage told of a snapshot that cannot be decoded; it is passed over
 */
export async function storedSnapshots(
  log: EventLog,
  topic: string,
  onDamage: (message: string) => void,
): Promise<Snapshot[]> {
  const assembler = new SnapshotAssembler(undefined, onDamage)
  const found = new Map<string, Snapshot>()
  for await (const delivery of asyncValues(log.consume(topic, { from: 'earliest', untilEnd: true, maxRecords: 16 }))) {
    for (const record of delivery.records) {
      const snapshot = assembler.add(record)
      if (snapshot !== undefined) found.set(`${snapshot.model}@${snapshot.version}`, snapshot)
    }
    delivery.ack()
  }
  return [...found.values()]
}
