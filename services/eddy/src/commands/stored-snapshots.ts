import type { EventLog, StoredRecord } from '@eddy/log'
import type { Snapshot } from '@eddy/messages'
import { InputError } from '@eddy/records'
import { SnapshotAssembler } from '@eddy/stepwise-em'
import { InvalidArgumentError } from 'commander'
import { note, type Terminal } from '../command-line/terminal.ts'
import { asyncValues } from '../up/async-values.ts'

/** A stored snapshot by model and version. */
export interface WantedSnapshot {
  readonly model: string
  readonly version: bigint | undefined
}

/** Every snapshot that is stored and can be read, in the order of the topic; of one version the last. */
export async function storedSnapshots(log: EventLog, topic: string, terminal: Terminal): Promise<Snapshot[]> {
  const assembler = new SnapshotAssembler(undefined, message => note(terminal, message))
  const found = new Map<string, Snapshot>()
  for await (const delivery of asyncValues(log.consume(topic, { from: 'earliest', untilEnd: true, maxRecords: 16 }))) {
    for (const record of delivery.records) {
      const snapshot = assembler.add(record as StoredRecord)
      if (snapshot !== undefined) found.set(`${snapshot.model}@${snapshot.version}`, snapshot)
    }
    delivery.ack()
  }
  return [...found.values()]
}

/** @throws InputError that lists what is stored */
export function findSnapshot(snapshots: readonly Snapshot[], { model, version }: WantedSnapshot): Snapshot {
  const found = snapshots
    .filter(snapshot => snapshot.model === model && (version === undefined || snapshot.version === version))
    .at(-1)
  if (found !== undefined) return found
  const stored = snapshots.map(snapshot => `${snapshot.model}@${snapshot.version}`)
  throw new InputError(
    `model: expected one of ${stored.join(', ') || '(none stored)'}, got ${model}${version === undefined ? '' : `@${version}`}.`,
  )
}

/** Parser of `model` or `model@version`. */
export function wantedSnapshot(text: string): WantedSnapshot {
  const [, model, version] = /^([a-zA-Z0-9._-]{1,100})(?:@(\d{1,18}))?$/.exec(text) ?? []
  if (model === undefined) throw new InvalidArgumentError(`expected model or model@version, got ${text}.`)
  return { model, version: version === undefined ? undefined : BigInt(version) }
}
