import type { Delivery, EventLog } from '@eddy/log'
import type { Snapshot } from '@eddy/messages'
import { concat, concatMap, defer, filter, lastValueFrom, type Observable, tap } from 'rxjs'
import { SnapshotAssembler } from './snapshot-records.ts'

/** Snapshots are large: few at a time. */
const maxRecords = 16

export interface SnapshotSource {
  readonly log: EventLog
  readonly topic: string
  /** of any model if absent */
  readonly model?: string | undefined
  /** told of a snapshot that cannot be decoded: an older one is used */
  readonly onDamage?: ((message: string) => void) | undefined
}

/** Snapshots of a model: the newest stored one, then each newer one as it is published, until `signal`. */
export function followSnapshots(source: SnapshotSource, signal: AbortSignal): Observable<Snapshot> {
  return defer(async () => {
    const { log, topic, model, onDamage = () => {} } = source
    const { snapshot, nextOffset } = await readStored(source)
    let version = snapshot?.version ?? 0n
    const assembler = new SnapshotAssembler(model, onDamage)
    const live = log.consume(topic, { from: new Map([[0, nextOffset]]), maxRecords, signal, ahead: true }).pipe(
      concatMap(delivery => assembled(delivery, assembler)),
      // Checkpoints, and what a process that has lost its place still publishes, are not news.
      filter(next => next.version > version),
      tap(next => {
        version = next.version
      }),
    )
    return concat(snapshot === undefined ? [] : [snapshot], live)
  }).pipe(concatMap(snapshots => snapshots))
}

/** The newest stored snapshot that can be read. */
export async function newestSnapshot(source: SnapshotSource): Promise<Snapshot | undefined> {
  return (await readStored(source)).snapshot
}

/** The newest stored snapshot of each model that can be read. */
export async function newestOfEachModel(source: Omit<SnapshotSource, 'model'>): Promise<readonly Snapshot[]> {
  return [...(await readStored(source)).newest.values()]
}

async function readStored({ log, topic, model, onDamage = () => {} }: SnapshotSource): Promise<{
  snapshot: Snapshot | undefined
  newest: ReadonlyMap<string, Snapshot>
  nextOffset: number
}> {
  const assembler = new SnapshotAssembler(model, onDamage)
  const newest = new Map<string, Snapshot>()
  let nextOffset = 0
  const stored = log.consume(topic, { from: 'earliest', maxRecords, untilEnd: true }).pipe(
    tap(delivery => {
      for (const found of assembled(delivery, assembler)) {
        const known = newest.get(found.model)
        if (known === undefined || found.version > known.version) newest.set(found.model, found)
      }
      nextOffset = delivery.nextOffset
    }),
  )
  await lastValueFrom(stored, { defaultValue: undefined })
  const [snapshot] = [...newest.values()].sort((a, b) => (a.version < b.version ? 1 : -1))
  return { snapshot, newest, nextOffset }
}

function assembled(delivery: Delivery, assembler: SnapshotAssembler): Snapshot[] {
  const snapshots = delivery.records.map(record => assembler.add(record)).filter(snapshot => snapshot !== undefined)
  delivery.ack()
  return snapshots
}
