import type { EventLog, OutgoingRecord } from '@eddy/log'
import { readEventLines } from '@eddy/records'
import { type Configuration, customerIds, type Feature } from '@eddy/settings'
import { eventRecord } from './event-record.ts'
import { PrefixHash, placeIn, publishUpTo } from './replay-place.ts'
import { untilSignal } from './until-signal.ts'

export interface ReplayOptions {
  readonly log: EventLog
  readonly configuration: Configuration
  /** what is picked from flat rows, and how it is read */
  readonly features: readonly Feature[]
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
 * step, so that a second run goes on where the first one ended, as it does on a file that has grown since, was compressed, or has other
 * ends of line (see `placeIn`). Standard input (`-`) cannot be read twice and has no position.
 */
export async function replay(
  path: string,
  { log, configuration, features, signal, room, onProgress }: ReplayOptions,
): Promise<Replayed> {
  const topic = configuration.topics.events
  const options = {
    features: features.map(({ name }) => name),
    types: new Map(features.map(({ name, type }) => [name, type])),
  }
  const place =
    path === '-' ? undefined : await placeIn(log, topic, () => untilSignal(readEventLines(path, options), signal))
  if (signal.aborted) return { skipped: 0, appended: 0 }
  const done = place?.done ?? 0
  const ids = customerIds(configuration)
  const prefix = new PrefixHash()
  let appended = 0
  for await (const lines of untilSignal(readEventLines(path, { ...options, onProgress }), signal)) {
    const fresh = lines.slice(Math.max(0, done - prefix.events))
    for (const { source } of lines) prefix.add(source)
    if (fresh.length === 0) continue
    await room()
    if (signal.aborted) break
    const records: OutgoingRecord[] = fresh.map(({ value }) => eventRecord(value, ids))
    if (place === undefined) await log.publish([{ topic, records }])
    else await publishUpTo(log, topic, place, prefix, records)
    appended += fresh.length
  }
  return { skipped: Math.min(done, prefix.events), appended }
}
