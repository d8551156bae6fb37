import { type Delivery, type OutgoingRecord, RecordPacker, type StoredRecord, ValueSpan } from '@eddy/log'
import { FeaturesReader, LabelEncoder, type Snapshot } from '@eddy/messages'
import { applyTransform, createMixture, type Mixture, type ModelSpecification } from '@eddy/mixture'
import type { Emission, Stage } from '@eddy/runtime'
import { BehaviorSubject, concatMap, filter, finalize, firstValueFrom, type Observable } from 'rxjs'

export interface ScoringOptions {
  readonly topics: { readonly labels: string }
}

/**
 * Feature vectors × the newest snapshot → labels, exactly one an event, in the partition they came from.
 * Waits for the first snapshot; the model may change between deliveries, never within one.
 */
export function scoring({ topics }: ScoringOptions, snapshots: Observable<Snapshot>): Stage {
  return deliveries => {
    const newest = new BehaviorSubject<Snapshot | undefined>(undefined)
    const following = snapshots.subscribe({
      next: snapshot => newest.next(snapshot),
      error: error => newest.error(error),
      complete: () => newest.complete(),
    })
    let scorer: Scorer | undefined
    return deliveries.pipe(
      concatMap(async delivery => {
        const snapshot = newest.value ?? (await firstValueFrom(newest.pipe(filter(value => value !== undefined))))
        if (scorer?.snapshot !== snapshot) scorer = new Scorer(snapshot, scorer)
        return label(delivery, scorer, topics.labels)
      }),
      finalize(() => following.unsubscribe()),
    )
  }
}

/** A snapshot made ready to score; the mixture is kept while its specification stays. */
class Scorer {
  readonly snapshot: Snapshot
  readonly specification: ModelSpecification
  readonly mixture: Mixture
  readonly labels: LabelEncoder

  constructor(snapshot: Snapshot, previous: Scorer | undefined) {
    this.snapshot = snapshot
    const same = previous?.snapshot.specification === snapshot.specification ? previous : undefined
    this.specification = same?.specification ?? (JSON.parse(snapshot.specification) as ModelSpecification)
    this.mixture = same?.mixture ?? createMixture(this.specification)
    const { model, version: snapshotVersion } = snapshot
    this.labels = new LabelEncoder({ model, snapshotVersion, segments: snapshot.segments.map(({ id }) => id) })
  }
}

const reader = new FeaturesReader()
const span = new ValueSpan()
const packer = new RecordPacker()

/** The numbers of one delivery; the memory is used again for the next. */
class Scratch {
  /** shape (rows, d), user's units, and in model space */
  values = new Float64Array()
  transformed = new Float64Array()
  /** shape (rows, K) */
  posteriors = new Float64Array()
  /** shape (rows) each */
  times = new Float64Array()
  logDensity = new Float64Array()
  logJacobian = new Float64Array()
  /** UTF-8 of row n's customer: from `starts[n]` to `ends[n]` of `customers[n]` */
  customers: Uint8Array[] = []
  starts = new Int32Array()
  ends = new Int32Array()

  reserve(rows: number, columns: number, components: number): void {
    if (this.times.length < rows) {
      this.times = new Float64Array(rows)
      this.logDensity = new Float64Array(rows)
      this.logJacobian = new Float64Array(rows)
      this.customers = new Array(rows)
      this.starts = new Int32Array(rows)
      this.ends = new Int32Array(rows)
    }
    if (this.values.length < rows * columns) {
      this.values = new Float64Array(rows * columns)
      this.transformed = new Float64Array(rows * columns)
    }
    if (this.posteriors.length < rows * components) this.posteriors = new Float64Array(rows * components)
  }
}

const scratch = new Scratch()

function label(delivery: Delivery, scorer: Scorer, topic: string): Emission {
  const { snapshot, specification, mixture, labels } = scorer
  const { records, partition } = delivery
  const rows = records.length
  const columns = specification.features.length
  const components = snapshot.segments.length
  scratch.reserve(rows, columns, components)
  const { times, customers, starts, ends } = scratch
  const values = scratch.values.subarray(0, rows * columns)
  const posteriors = scratch.posteriors.subarray(0, rows * components)
  const logDensity = scratch.logDensity.subarray(0, rows)
  for (let n = 0; n < rows; n++) {
    span.moveTo(records[n]!)
    reader.decodeFeaturesInto(span.bytes, values, n * columns, columns, span.start, span.end)
    customers[n] = reader.customerBytes
    starts[n] = reader.customerStart
    ends[n] = reader.customerEnd
    times[n] = reader.time
  }
  const into = { values: scratch.transformed, logJacobian: scratch.logJacobian }
  const { block, logJacobian } = applyTransform(specification, snapshot.parameters, { rows, columns, values }, into)
  mixture.score(snapshot.parameters, block, posteriors, logDensity)
  packer.clear()
  for (let n = 0; n < rows; n++) {
    const record = records[n]!
    const best = likeliest(posteriors, n, components)
    const density = logDensity[n]! + logJacobian[n]!
    const [customer, from, to] = [customers[n]!, starts[n]!, ends[n]!]
    if (!packer.openLike(record)) packer.open(record.timestamp, customer, from, to)
    const time = times[n]!
    const end = labels.write(packer, customer, from, to, time, posteriors, n, best, density, partition, record.offset)
    packer.close(end, traced(record))
  }
  const publication = packer.finish(topic, partition)
  return { publications: publication === undefined ? [] : [publication], settles: [delivery] }
}

/** The trace goes on with the label. */
function traced({ headers: { traceparent } }: StoredRecord): OutgoingRecord['headers'] {
  return traceparent === undefined ? undefined : { traceparent }
}

/** Component with the largest posterior of row `n`; the first of equals. */
function likeliest(posteriors: Float64Array, n: number, components: number): number {
  const row = n * components
  let best = 0
  for (let k = 1; k < components; k++) if (posteriors[row + k]! > posteriors[row + best]!) best = k
  return best
}
