import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OutgoingRecord, StoredRecord } from '@eddy/log'
import { openEmbeddedLog } from '@eddy/log-embedded'
import { lastValueFrom, map, toArray } from 'rxjs'

/** A data directory and its configuration for the tests of a command. */
export interface Stored {
  /** the temporary folder they lie in */
  readonly folder: string
  /** data directory of the embedded log */
  readonly data: string
  /** path of the configuration */
  readonly config: string
  readonly publish: (topic: string, records: readonly OutgoingRecord[]) => Promise<void>
  /** everything stored in a topic */
  readonly records: (topic: string) => Promise<StoredRecord[]>
  readonly remove: () => void
}

/** An embedded log with every topic of the model `test`, which has the features x and y, in one partition each. */
export async function storedLog(): Promise<Stored> {
  const folder = mkdtempSync(join(tmpdir(), 'eddy-stored-'))
  const data = join(folder, 'data')
  const config = join(folder, 'eddy.yaml')
  writeFileSync(
    config,
    `model: { name: test }\nlog: { directory: ${data}, partitions: 1 }\nfeatures: [{ name: x }, { name: y }]\n`,
  )
  const log = openEmbeddedLog(data)
  const topics = ['events', 'features', 'statistics', 'labels', 'dead-letters', 'lineage']
  await log.ensureTopics({
    ...Object.fromEntries(
      topics.map(topic => [`eddy.${topic}.v1`, { partitions: 1, cleanup: 'delete' as const }] as const),
    ),
    'eddy.snapshots.v1': { partitions: 1, cleanup: 'compact' },
  })
  await log.close()
  return {
    folder,
    data,
    config,
    publish: async (topic, records) => {
      const open = openEmbeddedLog(data)
      await open.publish([{ topic, records }])
      await open.close()
    },
    records: async topic => {
      const open = openEmbeddedLog(data, { readOnly: true })
      const deliveries = await lastValueFrom(
        open.consume(topic, { from: 'earliest', untilEnd: true }).pipe(
          map(delivery => {
            const records = delivery.records.map(copied)
            delivery.ack()
            return records
          }),
          toArray(),
        ),
      )
      await open.close()
      return deliveries.flat()
    },
    remove: () => rmSync(folder, { recursive: true }),
  }
}

/** Records are views that their log uses again. */
const copied = ({ offset, key, value, headers, timestamp }: StoredRecord): StoredRecord => ({
  offset,
  key: key?.slice() ?? null,
  value: value?.slice() ?? null,
  headers,
  timestamp,
})
