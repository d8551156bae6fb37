import {
  type Delivery,
  type OutgoingRecord,
  type Publication,
  RecordPacker,
  type StoredRecord,
  ValueSpan,
} from '@eddy/log'
import {
  deadLetterRecord,
  FeaturesReader,
  handedOnTrace,
  LabelEncoder,
  MessageError,
  type Snapshot,
} from '@eddy/messages'
import { indexOfLargest } from '@eddy/mixture'
import { type Emission, Latest, type Metrics, type Stage } from '@eddy/runtime'
import { localScore, type Score } from '@eddy/threads'
import { concatMap, EMPTY, finalize, from, type Observable, of, switchMap, takeWhile } from 'rxjs'

export interface ScoringOptions {
  readonly topics: { readonly labels: string; readonly deadLetters: string }
  readonly metrics?: Pick<Metrics, 'deadLetters'>
  /** default: `localScore` */
  readonly score?: Score
}

/**
 * Feature vectors × the newest snapshot → labels, exactly one an event, in the partition they came from. A vector that does not fit the model's features is a
 * dead letter instead.
 * Waits for the first snapshot, and ends where there is to be none; the model may change between deliveries, never within one.
 */
export function scoring(
  { topics, metrics, score = localScore() }: ScoringOptions,
  snapshots: Observable<Snapshot>,
): Stage {
  return deliveries => {
    const latest = new Latest<Snapshot>()
    const following = snapshots.subscribe({
      next: snapshot => latest.set(snapshot),
      error: error => latest.fail(error),
      complete: () => latest.end(),
    })
    let labels: { readonly of: Snapshot; readonly encoder: LabelEncoder } | undefined
    const scratch = new Scratch()
    // Nothing is taken from the log before: what waits in hand could be erased meanwhile.
    const first = latest.value === undefined ? from(latest.newest()) : of(latest.value)
    return first.pipe(
      switchMap(model => (model === undefined ? EMPTY : deliveries)),
      concatMap(async delivery => {
        const snapshot = await latest.newest()
        if (snapshot === undefined) return undefined
        if (labels?.of !== snapshot) labels = { of: snapshot, encoder: encoderOf(snapshot) }
        const unfit = (): void => metrics?.deadLetters.inc({ reason: 'unfit' })
        return label(delivery, snapshot, labels.encoder, score, scratch, topics, unfit)
      }),
      takeWhile(emission => emission !== undefined),
      finalize(() => following.unsubscribe()),
    )
  }
}

function encoderOf({ model, version: snapshotVersion, segments, provisional }: Snapshot): LabelEncoder {
  return new LabelEncoder({ model, snapshotVersion, segments: segments.map(({ id }) => id), provisional })
}

const reader = new FeaturesReader()
const span = new ValueSpan()
const packer = new RecordPacker()

/** Columns of an event: the transform's arrays have one number each. */
const featuresOf = ({ parameters }: Snapshot): number => parameters.transformCentre!.length

/** In shared memory, where other threads can score. */
const sharedArray = (length: number): Float64Array => new Float64Array(new SharedArrayBuffer(8 * length))

/** The numbers of one delivery; the memory is used again for the next. */
class Scratch {
  /** shape (rows, d), user's units */
  values: Float64Array = new Float64Array()
  /** shape (rows, K) */
  posteriors: Float64Array = new Float64Array()
  /** shape (rows) each */
  times = new Float64Array()
  logDensity: Float64Array = new Float64Array()
  /** UTF-8 of row n's customer: from `starts[n]` to `ends[n]` of `customers[n]` */
  customers: Uint8Array[] = []
  starts = new Int32Array()
  ends = new Int32Array()

  reserve(rows: number, columns: number, components: number): void {
    if (this.times.length < rows) {
      this.times = new Float64Array(rows)
      this.logDensity = sharedArray(rows)
      this.customers = new Array(rows)
      this.starts = new Int32Array(rows)
      this.ends = new Int32Array(rows)
    }
    if (this.values.length < rows * columns) this.values = sharedArray(rows * columns)
    if (this.posteriors.length < rows * components) this.posteriors = sharedArray(rows * components)
  }
}

async function label(
  delivery: Delivery,
  snapshot: Snapshot,
  labels: LabelEncoder,
  score: Score,
  scratch: Scratch,
  topics: ScoringOptions['topics'],
  onUnfit: () => void,
): Promise<Emission> {
  const { records: delivered, partition } = delivery
  const columns = featuresOf(snapshot)
  const components = snapshot.segments.length
  scratch.reserve(delivered.length, columns, components)
  const { times, customers, starts, ends } = scratch
  const records: StoredRecord[] = []
  const deadLetters: OutgoingRecord[] = []
  for (const record of delivered) {
    const n = records.length
    span.moveTo(record)
    try {
      reader.decodeFeaturesInto(span.bytes, scratch.values, n * columns, columns, span.start, span.end)
    } catch (error) {
      if (!(error instanceof MessageError)) throw error
      onUnfit()
      deadLetters.push(quarantine(error, record, delivery))
      continue
    }
    customers[n] = reader.customerBytes
    starts[n] = reader.customerStart
    ends[n] = reader.customerEnd
    times[n] = reader.time
    records.push(record)
  }
  const rows = records.length
  const values = scratch.values.subarray(0, rows * columns)
  const posteriors = scratch.posteriors.subarray(0, rows * components)
  const logDensity = scratch.logDensity.subarray(0, rows)
  if (rows > 0) await score(snapshot, { rows, columns, values }, { posterior: posteriors, logDensity })
  packer.clear(rows)
  for (let n = 0; n < rows; n++) {
    const record = records[n]!
    const best = indexOfLargest(posteriors, n * components, components)
    const customer = customers[n]!
    const from = starts[n]!
    const to = ends[n]!
    if (!packer.openLike(record)) packer.open(record.timestamp, customer, from, to)
    const time = times[n]!
    const end = labels.write(
      packer,
      customer,
      from,
      to,
      time,
      posteriors,
      n,
      best,
      logDensity[n]!,
      partition,
      record.offset,
    )
    packer.close(end, handedOnTrace(record.headers))
  }
  const publications: Publication[] = []
  const packed = packer.finish(topics.labels, partition)
  if (packed !== undefined) publications.push(packed)
  if (deadLetters.length > 0) publications.push({ topic: topics.deadLetters, records: deadLetters })
  return { publications, settles: [delivery] }
}

/** A vector that is not of the model's features. */
function quarantine({ message }: MessageError, record: StoredRecord, { topic, partition }: Delivery): OutgoingRecord {
  const { offset, key, value, timestamp } = record
  const headers = Object.entries(record.headers).map(([name, bytes]) => ({ name, value: bytes }))
  const place = { stage: 'scoring', topic, partition, offset }
  return { ...deadLetterRecord({ reason: 'unfit', message, ...place, key, value, headers }), timestamp, partition }
}
