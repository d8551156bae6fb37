import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { EventLog, OutgoingRecord } from '@eddy/log'
import { readEventLines } from '@eddy/records'
import { type Configuration, customerIds } from '@eddy/settings'
import { eventRecord } from './event-record.ts'

export interface ReplayOptions {
  readonly log: EventLog
  readonly configuration: Configuration
  /** names of the features to pick from flat rows */
  readonly features: readonly string[]
  readonly signal: AbortSignal
  /** Asked before each batch; resolves when more may be appended. */
  readonly room: () => Promise<void>
  /** told how much of the file has been read, 0 to 1 */
  readonly onProgress?: ((share: number) => void) | undefined
}

export interface Replayed {
  /** events that an earlier run had appended already */
  readonly skipped: number
  readonly appended: number
}

/**
 * Appends a file's events, each exactly once whatever happens: events and the position in the file become durable in one
 * step, under the hash of the file's content, so that a second run goes on where the first one ended. Standard input
 * (`-`) cannot be read twice and has no position.
 */
export async function replay(
  path: string,
  { log, configuration, features, signal, room, onProgress }: ReplayOptions,
): Promise<Replayed> {
  const { topics } = configuration
  const group = path === '-' ? undefined : `replay.${await contentHash(path)}`
  const done = group === undefined ? 0 : ((await log.positions(topics.events, group)).get(0) ?? 0)
  const ids = customerIds(configuration)
  let seen = 0
  let appended = 0
  for await (const lines of readEventLines(path, { features, onProgress })) {
    if (signal.aborted) break
    const fresh = lines.slice(Math.max(0, done - seen))
    seen += lines.length
    if (fresh.length === 0) continue
    await room()
    const records: OutgoingRecord[] = fresh.map(line => eventRecord(line, ids))
    const deliveries = [{ topic: topics.events, partition: 0, nextOffset: seen }]
    await log.publish(
      [{ topic: topics.events, records }],
      group === undefined ? {} : { settles: { group, deliveries } },
    )
    appended += fresh.length
  }
  return { skipped: Math.min(done, seen), appended }
}

async function contentHash(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex').slice(0, 32)
}
