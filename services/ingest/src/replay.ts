import type { EventLog, OutgoingRecord } from '@eddy/log'
import { readEventLines } from '@eddy/records'
import { type Configuration, customerIds, type Feature } from '@eddy/settings'
import { eventRecord } from './event-record.ts'
import { Judge } from './judge.ts'
import type { Refusal } from './refusal.ts'
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
  /** milliseconds since 1970-01-01 UTC */
  readonly now: () => number
  /** name of the value that identifies the customer, default `customer` */
  readonly key?: string | undefined
  /** leave out what ingest would refuse; else it is appended as it is, and quarantined */
  readonly skipInvalid?: boolean | undefined
  /** told of each such event, but for those that an earlier run appended: file, line and reason */
  readonly onInvalid?: ((message: string) => void) | undefined
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
  { log, configuration, features, signal, room, onProgress, now, key, skipInvalid = false, onInvalid }: ReplayOptions,
): Promise<Replayed> {
  const topic = configuration.topics.events
  const options = {
    key,
    features: features.map(({ name }) => name),
    types: new Map(features.map(({ name, type }) => [name, type])),
  }
  const place =
    path === '-' ? undefined : await placeIn(log, topic, () => untilSignal(readEventLines(path, options), signal))
  if (signal.aborted) return { skipped: 0, appended: 0 }
  const done = place?.done ?? 0
  const ids = customerIds(configuration)
  const prefix = new PrefixHash()
  const judge = new Judge(features)
  let appended = 0
  for await (const lines of untilSignal(readEventLines(path, { ...options, onProgress }), signal)) {
    const fresh = lines.slice(Math.max(0, done - prefix.events))
    for (const { source } of lines) prefix.add(source)
    if (fresh.length === 0) continue
    await room()
    if (signal.aborted) break
    const records: OutgoingRecord[] = []
    for (const { value, line, problem } of fresh) {
      const reason = problem?.message ?? named(judge.refusalOf(value, now()), path, line)
      if (reason !== undefined) {
        onInvalid?.(reason)
        if (skipInvalid) continue
      }
      records.push(eventRecord(value, ids))
    }
    if (place === undefined) await log.publish([{ topic, records }])
    else await publishUpTo(log, topic, place, prefix, records)
    appended += records.length
  }
  return { skipped: Math.min(done, prefix.events), appended }
}

const named = (refusal: Refusal | undefined, path: string, line: number): string | undefined =>
  refusal && `${path === '-' ? 'standard input' : path}:${line}: ${refusal.message}`
