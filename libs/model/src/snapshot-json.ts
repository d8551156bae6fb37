import { createHash } from 'node:crypto'
import type { Snapshot } from '@eddy/messages'
import { describeSegments } from './segments.ts'

/**
 * A snapshot and its ledger as JSON. `identity` is the hash of what was learned: parameters, statistics and ledger, bit for bit.
 * `segmentIds` are in the order of the parameters, `segments` by share.
 */
export const snapshotJson = (snapshot: Snapshot): object => ({
  model: snapshot.model,
  version: Number(snapshot.version),
  step: Number(snapshot.step),
  provisional: snapshot.provisional,
  createdAt: new Date(snapshot.createdAt).toISOString(),
  events: Number(snapshot.ledger.reduce((sum, { events }) => sum + events, 0n)),
  prequentialLogLikelihood: Number.isNaN(snapshot.prequentialLogLikelihood) ? null : snapshot.prequentialLogLikelihood,
  effectiveSampleSize: snapshot.effectiveSampleSize,
  weight: snapshot.weight < 0 ? snapshot.effectiveSampleSize : snapshot.weight,
  identity: identityOf(snapshot),
  segments: describeSegments(snapshot),
  segmentIds: snapshot.segments.map(({ id }) => id),
  ledger: snapshot.ledger.map(({ partition, next, events, offsetsHash, skipped = 0 }) => ({
    partition,
    next,
    events: Number(events),
    skipped,
    offsetsHash: offsetsHash.toString(16).padStart(16, '0'),
  })),
  statisticsOffset: snapshot.statisticsOffset,
  specification: JSON.parse(snapshot.specification) as object,
  parameters: Object.fromEntries(Object.entries(snapshot.parameters).map(([name, values]) => [name, [...values]])),
  statistics: [...snapshot.statistics],
})

/** SHA-256 of parameters, statistics and ledger; not of anything that depends on the clock. */
export function identityOf({
  parameters,
  statistics,
  ledger,
}: Pick<Snapshot, 'parameters' | 'statistics' | 'ledger'>): string {
  const hash = createHash('sha256')
  const add = (values: Float64Array): void =>
    void hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  for (const name of Object.keys(parameters).sort()) {
    hash.update(name)
    add(parameters[name] as Float64Array)
  }
  add(statistics)
  for (const { partition, next, events, offsetsHash } of ledger)
    hash.update(`${partition} ${next} ${events} ${offsetsHash}\n`)
  return hash.digest('hex')
}
