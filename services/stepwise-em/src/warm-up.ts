import type { Delivery, Publication } from '@eddy/log'
import { lineageCodec, type Snapshot } from '@eddy/messages'
import { type Kernel, type ModelSpecification, random, warmUp } from '@eddy/mixture'
import { type Ledger, ledgerEntries, snapshotRecords } from '@eddy/model'
import type { Emission } from '@eddy/runtime'
import { concatMap, map, merge, type Observable, of, take } from 'rxjs'
import type { InputEnd } from './e-step-worker.ts'
import { MiniBatch } from './mini-batch.ts'

export interface WarmUpOptions {
  readonly model: string
  readonly specification: ModelSpecification
  /** events to begin with */
  readonly events: number
  readonly seed: number
  /** of one record's value: a larger snapshot is split */
  readonly maxRecordBytes: number
  readonly topics: { readonly snapshots: string; readonly lineage: string }
  readonly now: () => number
  /** what the work is done by, default `auto` */
  readonly kernel?: Kernel
}

export interface WarmUpInputs {
  /** feature vectors from the beginning of each partition */
  readonly features: Observable<Delivery>
  /** where the input ends for now: begin with what there is */
  readonly ends: Observable<InputEnd>
}

/**
 * Learns the first snapshot from the first events of the stream (the best of several short EM runs by held-out
 * likelihood) and completes. Its ledger holds exactly those events. One partition and one seed give one snapshot.
 */
export function warmUpStage(options: WarmUpOptions, { features, ends }: WarmUpInputs): Observable<Emission> {
  const buffer = new WarmUpBuffer(options)
  return merge(
    features.pipe(map(delivery => () => buffer.take(delivery))),
    ends.pipe(map(end => () => buffer.endAt(end))),
  ).pipe(
    concatMap(action => {
      const ready = action()
      return ready ? of(firstSnapshot(options, buffer)) : []
    }),
    take(1),
  )
}

class WarmUpBuffer {
  readonly #options: WarmUpOptions
  readonly partitions = new Map<number, MiniBatch>()
  #rows = 0
  #ends: InputEnd | undefined

  constructor(options: WarmUpOptions) {
    this.#options = options
  }

  take(delivery: Delivery): boolean {
    const { partition, records } = delivery
    const { events, specification } = this.#options
    const batch = this.partitions.get(partition) ?? new MiniBatch(partition, 0, events, specification.features.length)
    this.partitions.set(partition, batch)
    const before = batch.rows
    const wanted = records.slice(0, events - this.#rows)
    const nextOffset = wanted.length === records.length ? delivery.nextOffset : (wanted.at(-1)?.offset ?? -1) + 1
    batch.take({ ...delivery, records: wanted, nextOffset }, 0)
    this.#rows += batch.rows - before
    delivery.ack()
    return this.#ready()
  }

  endAt(end: InputEnd): boolean {
    this.#ends = end
    return this.#ready()
  }

  #ready(): boolean {
    if (this.#rows >= this.#options.events) return true
    const ends = this.#ends
    if (this.#rows === 0 || ends === undefined) return false
    return ends === 'here' || [...ends].every(([partition, end]) => (this.partitions.get(partition)?.to ?? 0) >= end)
  }
}

function firstSnapshot(options: WarmUpOptions, buffer: WarmUpBuffer): Emission {
  const { specification: declared, model, topics, now } = options
  const batches = [...buffer.partitions.values()]
    .filter(batch => batch.rows > 0)
    .sort((a, b) => a.partition - b.partition)
  const contents = batches.map(batch => batch.contents())
  const rows = contents.reduce((sum, { block }) => sum + block.rows, 0)
  const columns = declared.features.length
  const values = new Float64Array(rows * columns)
  const weights = new Float64Array(rows)
  let at = 0
  for (const { block, weights: w } of contents) {
    values.set(block.values, at * columns)
    weights.set(w, at)
    at += block.rows
  }
  const block = { rows, columns, values }
  const { specification, parameters, learned, heldOutLogLikelihood } = warmUp(
    declared,
    block,
    weights,
    random(options.seed),
    options.kernel,
  )
  const ledger: Ledger = new Map(
    batches.map(batch => [
      batch.partition,
      { partition: batch.partition, next: batch.to, events: BigInt(batch.rows), offsetsHash: batch.offsetsHash() },
    ]),
  )
  const segments = Array.from({ length: specification.components }, (_, k) => ({ id: `s${k + 1}`, since: 1n }))
  const snapshot: Snapshot = {
    model,
    version: 1n,
    step: 0n,
    createdAt: now(),
    specification: JSON.stringify(specification),
    parameters,
    statistics: learned.statistics,
    segments,
    ledger: ledgerEntries(ledger),
    statisticsOffset: 0,
    prequentialLogLikelihood: Number.NaN,
    effectiveSampleSize: learned.effectiveSampleSize,
    weight: learned.weight,
    provisional: false,
    epoch: 1n,
    segmentsBorn: segments.length,
    expectedLogLikelihood: heldOutLogLikelihood,
    surprise: 0,
    judgedWeight: learned.weight,
  }
  const key = new TextEncoder().encode(model)
  const born = segments.map(({ id }) =>
    lineageCodec.encode({ model, snapshotVersion: 1n, kind: 'birth', parents: [], children: [id], time: now() }),
  )
  const publications: Publication[] = [
    { topic: topics.snapshots, records: snapshotRecords(snapshot, options.maxRecordBytes) },
    { topic: topics.lineage, records: born.map(value => ({ key, value, partition: 0 })) },
  ]
  return { publications, settles: [] }
}
