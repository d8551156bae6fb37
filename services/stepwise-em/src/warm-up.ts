import type { Delivery, Publication } from '@eddy/log'
import { type FeatureSchema, featureSchema, lineageCodec, type Snapshot } from '@eddy/messages'
import {
  distinctRows,
  type Kernel,
  leastExpected,
  type Model,
  type ModelSpecification,
  matchComponents,
  random,
  rowsOf,
  soundSample,
  warmUp,
  warmUpOfModel,
} from '@eddy/mixture'
import { type Ledger, ledgerEntries, snapshotRecords } from '@eddy/model'
import { type Emission, type Logger, Mailbox } from '@eddy/runtime'
import { map, type Observable, takeWhile } from 'rxjs'
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
  /** A model to begin with, of the same form: none is chosen then. */
  readonly initial?: Pick<Model, 'specification' | 'parameters'>
  /** what the work is done by, default `auto` */
  readonly kernel?: Kernel
  readonly logger: Pick<Logger, 'info' | 'warn'>
  /** version of the provisional snapshot that an earlier process ended with */
  readonly provisionalVersion?: bigint
}

export interface WarmUpInputs {
  /** feature vectors from the beginning of each partition */
  readonly features: Observable<Delivery>
  /** where the input ends: begin with what there is, even if it is less than the warm-up should have */
  readonly ends: Observable<InputEnd>
  /** nothing has come for a while */
  readonly pauses: Observable<unknown>
  /** whether somebody may wait for labels; not while events are known to be on their way, such as those of a replay */
  readonly waiting: () => Promise<boolean>
}

/**
 * Learns the first snapshot from the first `events` of the stream (the best that a search finds) and
 * completes. Its ledger holds exactly those events. While it waits for them it publishes provisional snapshots, each learned anew, when
 * there are 1, 2, 4, … times the smallest sound sample. The version of each is fixed by how many that is, whether or not those before
 * it were published: one partition and one seed give one first snapshot, whenever and however often the process was interrupted.
 */
export function warmUpStage(options: WarmUpOptions, inputs: WarmUpInputs): Observable<Emission> {
  const { features, ends, pauses, waiting } = inputs
  const warming = new Warming(options)
  const steps = new Mailbox<Step>()
    .from(features, delivery => warming.take(delivery, waiting))
    .from(ends, end => warming.endAt(end))
    .from(pauses, () => warming.pause(waiting))
    .outcomes()
  return steps.pipe(
    takeWhile(({ last }) => !last, true),
    map(({ emission }) => emission),
  )
}

/** What warming up leads to when something happens; `last` is the first snapshot. */
interface Step {
  readonly emission: Emission
  readonly last: boolean
}

class Warming {
  readonly #options: WarmUpOptions
  readonly #schema: FeatureSchema
  readonly #sample: number
  readonly #partitions = new Map<number, MiniBatch>()
  #published: number
  #rows = 0
  #ends: InputEnd | undefined

  constructor(options: WarmUpOptions) {
    this.#options = options
    this.#schema = featureSchema(options.specification.features)
    this.#sample = Math.min(soundSample(options.specification), options.events)
    this.#published = Number(options.provisionalVersion ?? 0n)
  }

  async take(delivery: Delivery, waiting: () => Promise<boolean>): Promise<readonly Step[]> {
    const { partition, records } = delivery
    const { events } = this.#options
    const batch = this.#partitions.get(partition) ?? new MiniBatch(partition, 0, events, this.#schema)
    this.#partitions.set(partition, batch)
    // Some may be vectors of other features, of which none is taken.
    for (let at = 0; this.#rows < events; ) {
      const before = batch.rows
      const wanted = records.slice(at, at + events - this.#rows)
      at += wanted.length
      const nextOffset = at === records.length ? delivery.nextOffset : (wanted.at(-1)?.offset ?? -1) + 1
      batch.take({ ...delivery, records: wanted, nextOffset }, 0)
      this.#rows += batch.rows - before
      if (at === records.length) break
    }
    const caughtUp = delivery.nextOffset >= delivery.endOffset
    delivery.ack()
    const first = this.#first()
    return first.length > 0 || !caughtUp ? first : this.pause(waiting)
  }

  endAt(end: InputEnd): readonly Step[] {
    this.#ends = end
    return this.#first()
  }

  /** The provisional snapshot that is due, if one is. */
  async pause(waiting: () => Promise<boolean>): Promise<readonly Step[]> {
    const stage = stagesOf(this.#sample, this.#rows + 1)
    if (stage <= this.#published || !(await waiting())) return []
    this.#published = stage
    const { logger, events } = this.#options
    logger.info({ events: this.#rows, of: events }, 'still warming up: a provisional model gives labels')
    const snapshot = { ...this.#learn(BigInt(stage)), provisional: true, ledger: [] }
    return [{ emission: this.#publication(snapshot), last: false }]
  }

  #first(): readonly Step[] {
    const { events, logger } = this.#options
    const full = this.#rows >= events
    if (!full && !this.#ended()) return []
    if (!full)
      logger.warn(
        { events: this.#rows, of: events },
        'the input ends during the warm-up: the model begins with what there is',
      )
    const snapshot = this.#learn(BigInt(stagesOf(this.#sample, events) + 1))
    const born = snapshot.segments.map(({ id }) => id)
    return [{ emission: this.#publication(snapshot, born), last: true }]
  }

  #ended(): boolean {
    const ends = this.#ends
    if (this.#rows === 0 || ends === undefined) return false
    return ends === 'here' || [...ends].every(([partition, end]) => (this.#partitions.get(partition)?.to ?? 0) >= end)
  }

  /** A model of all there is. Segments are numbered as in the model of the smallest sound sample, so that they keep their ids. */
  #learn(version: bigint): Snapshot {
    const { specification: declared, initial, model, now, seed, kernel, logger } = this.#options
    const { batches, block, weights } = this.#contents()
    const learnFrom = (rows: number) =>
      warmUp(declared, rowsOf(block, 0, rows), weights.subarray(0, rows), random(seed), kernel)
    const found = initial === undefined ? learnFrom(block.rows) : warmUpOfModel(initial, block, weights, kernel)
    const { specification, parameters, learned, heldOutLogLikelihood, heldOutError } = found
    const { components } = specification
    const distinct = distinctRows(block, components)
    if (distinct < components)
      logger.warn(
        { components, distinct },
        'there are more segments than different events: some of them are alike or empty',
      )
    const origin = initial === undefined && block.rows > this.#sample ? learnFrom(this.#sample) : found
    const numbers = matchComponents(origin, found, block, kernel).earlier
    const ledger: Ledger = new Map(
      batches.map(batch => [
        batch.partition,
        { partition: batch.partition, next: batch.to, events: BigInt(batch.rows), offsetsHash: batch.offsetsHash() },
      ]),
    )
    return {
      model,
      version,
      step: 0n,
      createdAt: now(),
      specification: JSON.stringify(specification),
      parameters,
      statistics: learned.statistics,
      segments: Array.from(numbers, number => ({ id: `s${number + 1}`, since: version })),
      ledger: ledgerEntries(ledger),
      statisticsOffset: 0,
      prequentialLogLikelihood: Number.NaN,
      effectiveSampleSize: learned.effectiveSampleSize,
      weight: learned.weight,
      provisional: false,
      epoch: version,
      segmentsBorn: components,
      expectedLogLikelihood: leastExpected(heldOutLogLikelihood, heldOutError),
      surprise: 0,
      judgedWeight: learned.weight,
    }
  }

  #contents() {
    const batches = [...this.#partitions.values()]
      .filter(batch => batch.rows > 0)
      .sort((a, b) => a.partition - b.partition)
    const { columns } = this.#schema
    const values = new Float64Array(this.#rows * columns)
    const weights = new Float64Array(this.#rows)
    let at = 0
    for (const batch of batches) {
      const { block, weights: w } = batch.contents()
      values.set(block.values, at * columns)
      weights.set(w, at)
      at += block.rows
    }
    return { batches, block: { rows: this.#rows, columns, values }, weights }
  }

  #publication(snapshot: Snapshot, born: readonly string[] = []): Emission {
    const { model, topics, now, maxRecordBytes } = this.#options
    const { version: snapshotVersion } = snapshot
    const key = new TextEncoder().encode(model)
    const birth = (id: string) =>
      lineageCodec.encode({ model, snapshotVersion, kind: 'birth', parents: [], children: [id], time: now() })
    const publications: Publication[] = [
      { topic: topics.snapshots, records: snapshotRecords(snapshot, maxRecordBytes) },
    ]
    if (born.length > 0)
      publications.push({ topic: topics.lineage, records: born.map(id => ({ key, value: birth(id), partition: 0 })) })
    return { publications, settles: [] }
  }
}

/** How many of 1, 2, 4, … times `sample` are less than `rows`. */
function stagesOf(sample: number, rows: number): number {
  let stages = 0
  for (let size = sample; size < rows; size *= 2) stages++
  return stages
}
