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
  type FeatureSchema,
  FeaturesReader,
  featureSchema,
  handedOnTrace,
  LabelEncoder,
  MessageError,
  type Snapshot,
} from '@eddy/messages'
import { indexOfLargest, type ModelSpecification } from '@eddy/mixture'
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
    let model: Scored | undefined
    const scratch = new Scratch()
    // Nothing is taken from the log before: what waits in hand could be erased meanwhile.
    const first = latest.value === undefined ? from(latest.newest()) : of(latest.value)
    return first.pipe(
      switchMap(model => (model === undefined ? EMPTY : deliveries)),
      concatMap(async delivery => {
        const snapshot = await latest.newest()
        if (snapshot === undefined) return undefined
        if (model?.snapshot !== snapshot) model = scoredBy(snapshot)
        const unfit = (): void => metrics?.deadLetters.inc({ reason: 'unfit' })
        return label(delivery, model, score, scratch, topics, unfit)
      }),
      takeWhile(emission => emission !== undefined),
      finalize(() => following.unsubscribe()),
    )
  }
}

/** A snapshot, and what follows from it for the vectors that it is to label. */
interface Scored {
  readonly snapshot: Snapshot
  readonly schema: FeatureSchema
  readonly labels: LabelEncoder
}

function scoredBy(snapshot: Snapshot): Scored {
  const { model, version: snapshotVersion, segments, provisional, specification } = snapshot
  return {
    snapshot,
    schema: featureSchema((JSON.parse(specification) as ModelSpecification).features),
    labels: new LabelEncoder({ model, snapshotVersion, segments: segments.map(({ id }) => id), provisional }),
  }
}

const reader = new FeaturesReader()
const span = new ValueSpan()
const packer = new RecordPacker()

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
  { snapshot, schema, labels }: Scored,
  score: Score,
  scratch: Scratch,
  topics: ScoringOptions['topics'],
  onUnfit: () => void,
): Promise<Emission> {
  const { records: delivered, partition } = delivery
  const { columns } = schema
  const components = snapshot.segments.length
  scratch.reserve(delivered.length, columns, components)
  const { times, customers, starts, ends } = scratch
  const records: StoredRecord[] = []
  const deadLetters: OutgoingRecord[] = []
  for (const record of delivered) {
    const n = records.length
    span.moveTo(record)
    try {
      reader.decodeFeaturesInto(span.bytes, scratch.values, n * columns, schema, span.start, span.end)
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
