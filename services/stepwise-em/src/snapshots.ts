import type { Delivery, EventLog } from '@eddy/log'
import { type Snapshot, snapshotCodec } from '@eddy/messages'
import { concat, concatMap, defer, lastValueFrom, map, type Observable, tap } from 'rxjs'

const decoder = new TextDecoder()
/** Snapshots are large: few at a time. */
const maxRecords = 16

interface Found {
  readonly snapshot: Snapshot | undefined
  readonly nextOffset: number
}

/** Snapshots of one model: the newest stored one, then each as it is published, until `signal`. */
export function followSnapshots(
  log: EventLog,
  topic: string,
  model: string,
  signal: AbortSignal,
): Observable<Snapshot> {
  return defer(async () => {
    const { snapshot, nextOffset } = await readStored(log, topic, model)
    const live = log
      .consume(topic, { from: new Map([[0, nextOffset]]), maxRecords, signal })
      .pipe(concatMap(delivery => snapshotsIn(delivery, model)))
    return concat(snapshot === undefined ? [] : [snapshot], live)
  }).pipe(concatMap(snapshots => snapshots))
}

/** The newest stored snapshot of a model, or of any. */
export async function newestSnapshot(
  log: EventLog,
  topic: string,
  model: string | undefined,
): Promise<Snapshot | undefined> {
  return (await readStored(log, topic, model)).snapshot
}

async function readStored(log: EventLog, topic: string, model: string | undefined): Promise<Found> {
  let found: Found = { snapshot: undefined, nextOffset: 0 }
  const stored = log.consume(topic, { from: 'earliest', maxRecords, untilEnd: true }).pipe(
    map(delivery => ({ snapshot: snapshotsIn(delivery, model)[0], nextOffset: delivery.nextOffset })),
    tap(({ snapshot, nextOffset }) => {
      found = { snapshot: snapshot ?? found.snapshot, nextOffset }
    }),
  )
  await lastValueFrom(stored, { defaultValue: undefined })
  return found
}

/** Only the newest of a delivery is decoded: the older ones are already history. */
function snapshotsIn(delivery: Delivery, model: string | undefined): Snapshot[] {
  const newest = delivery.records.findLast(
    ({ key, value }) => value !== null && key !== null && (model === undefined || decoder.decode(key) === model),
  )
  const snapshots = newest === undefined ? [] : [snapshotCodec.decode(newest.value as Uint8Array)]
  delivery.ack()
  return snapshots
}
