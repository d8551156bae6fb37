import type { Delivery } from '@eddy/log'
import { type FeatureSchema, type Snapshot, statisticsCodec } from '@eddy/messages'
import { type Statistics, squaredSum } from '@eddy/mixture'
import { type Emission, Latest, Mailbox, type Metrics } from '@eddy/runtime'
import type { EStep } from '@eddy/threads'
import { map, type Observable } from 'rxjs'
import { MiniBatch } from './mini-batch.ts'

export interface EStepWorkerOptions {
  readonly model: string
  /** of the model's features */
  readonly schema: FeatureSchema
  /** events in a mini-batch */
  readonly batchSize: number
  readonly topics: { readonly statistics: string }
  readonly eStep: EStep
  readonly metrics?: Pick<Metrics, 'eStepSeconds'>
  /** told of each mini-batch when its statistics are emitted, and where it ends */
  readonly onBatch?: (partition: number, to: number) => void
}

/** By partition, an offset at which the input ends for now; or `here`: with what has arrived. */
export type InputEnd = ReadonlyMap<number, number> | 'here'

export interface EStepWorkerInputs {
  /**
   * Feature vectors of the partitions assigned to this worker, from where `from` says: the ledger. `onAssignment` is told
   * all partitions of the worker, first.
   */
  readonly features: (
    from: (partitions: readonly number[]) => Promise<ReadonlyMap<number, number>>,
    onAssignment: (partitions: readonly number[]) => void,
  ) => Observable<Delivery>
  /** Where these partitions begin, for those that the ledger does not name; past what is gone, for those it does. */
  readonly begins: (ledger: ReadonlyMap<number, number>) => Promise<ReadonlyMap<number, number>>
  /** snapshots as they are published, newest first seen first */
  readonly snapshots: Observable<Snapshot>
  /** Where the input ends for now: a batch that ends there is learned though it is not full. */
  readonly ends: Observable<InputEnd>
}

/**
 * The E-step of each mini-batch, under the snapshot whose ledger ends exactly where the batch begins. Batches are cut at
 * fixed counts, so one worker on one partition does the same whenever and however often it was interrupted.
 * Deliveries are acknowledged when copied (the ledger, not a group position, says what was learned).
 */
export function eStepWorker(
  options: EStepWorkerOptions,
  { features, begins, snapshots, ends }: EStepWorkerInputs,
): Observable<Emission> {
  const worker = new Worker(options, begins)
  const deliveries = features(
    partitions => worker.assign(partitions),
    partitions => worker.keep(partitions),
  )
  return new Mailbox<Emission>()
    .from(deliveries.pipe(map(delivery => worker.arrived(delivery))), arrival => worker.take(arrival))
    .from(snapshots, snapshot => worker.adopt(snapshot))
    .from(ends, end => worker.endAt(end))
    .outcomes()
}

/** A delivery, and the lane that its partition had when it came. */
interface Arrival {
  readonly delivery: Delivery
  readonly lane: Lane | undefined
}

interface Lane {
  readonly batch: MiniBatch
  /** a delivery not wholly copied, and the index to go on from */
  held: { delivery: Delivery; at: number } | undefined
  /** where the ledger stood for the range that was published last: it may still stand there */
  published: number | undefined
  /** Where the ledger must stand for the batch: where that begins, but for the first one after what is gone; undefined: nowhere yet. */
  awaits: number | undefined
}

class Worker {
  readonly #options: EStepWorkerOptions
  readonly #begins: EStepWorkerInputs['begins']
  readonly #lanes = new Map<number, Lane>()
  readonly #newest = new Latest<Snapshot>()
  #ends: ReadonlyMap<number, number> = new Map()
  #statistics: Statistics = new Float64Array()

  constructor(options: EStepWorkerOptions, begins: EStepWorkerInputs['begins']) {
    this.#options = options
    this.#begins = begins
  }

  /** Lets go of what another worker has now: a batch cut short here could only get in its way. */
  keep(partitions: readonly number[]): void {
    for (const partition of [...this.#lanes.keys()]) if (!partitions.includes(partition)) this.#lanes.delete(partition)
  }

  /** Where these partitions are to be read from. Waits for the first snapshot. */
  async assign(partitions: readonly number[]): Promise<ReadonlyMap<number, number>> {
    await this.#newest.newest()
    const { batchSize, schema } = this.#options
    const learned = partitions.map(partition => [partition, this.#learned(partition)] as const)
    const begins = await this.#begins(
      new Map(learned.filter((entry): entry is [number, number] => entry[1] !== undefined)),
    )
    const starts = learned.map(([partition, awaits]) => [partition, begins.get(partition) ?? awaits ?? 0] as const)
    for (const [i, [partition, start]] of starts.entries()) {
      const batch = new MiniBatch(partition, start, batchSize, schema)
      this.#lanes.set(partition, { batch, held: undefined, published: undefined, awaits: learned[i]![1] })
    }
    return new Map(starts)
  }

  arrived(delivery: Delivery): Arrival {
    return { delivery, lane: this.#lanes.get(delivery.partition) }
  }

  /** If the partition has been assigned anew since it came, the new lane begins elsewhere and gets these records again. */
  async take({ delivery, lane }: Arrival): Promise<Emission[]> {
    if (lane === undefined || this.#lanes.get(delivery.partition) !== lane) return []
    lane.held = { delivery, at: 0 }
    return this.#advance([lane])
  }

  adopt(snapshot: Snapshot): Promise<Emission[]> {
    this.#newest.set(snapshot)
    return this.#advance(this.#lanes.values())
  }

  endAt(end: InputEnd): Promise<Emission[]> {
    this.#ends = end === 'here' ? this.#arrived() : end
    return this.#advance(this.#lanes.values())
  }

  /** Where what has arrived ends, also what waits for the batch before it. */
  #arrived(): ReadonlyMap<number, number> {
    const lanes = [...this.#lanes]
    return new Map(lanes.map(([partition, { batch, held }]) => [partition, held?.delivery.nextOffset ?? batch.to]))
  }

  /** Where the newest snapshot's ledger ends in a partition; undefined where it has none of it. */
  #learned(partition: number): number | undefined {
    return this.#newest.value?.ledger.find(entry => entry.partition === partition)?.next
  }

  async #advance(lanes: Iterable<Lane>): Promise<Emission[]> {
    const emissions: Emission[] = []
    for (const lane of lanes) {
      for (;;) {
        this.#fill(lane)
        const emission = await this.#learn(lane)
        if (emission === undefined) break
        emissions.push(emission)
      }
    }
    return emissions
  }

  #fill(lane: Lane): void {
    const { batch, held } = lane
    const learned = this.#learned(batch.partition)
    if (learned !== undefined && learned > batch.from) batch.dropBefore(learned)
    if (learned !== undefined && learned >= batch.from) lane.awaits = batch.from
    if (learned !== undefined && learned < batch.from && learned !== lane.published && learned !== lane.awaits)
      throw new Error(
        `ledger of partition ${batch.partition}: expected ${lane.published ?? batch.from} or ${batch.from}, got ${learned}: another worker's range, ` +
          'or an older model. Start again, to go on from the ledger.',
      )
    if (held === undefined) return
    held.at = batch.take(held.delivery, held.at)
    if (held.at < held.delivery.records.length) return
    lane.held = undefined
    held.delivery.ack()
  }

  /** The E-step of a lane's batch, if it is due and the snapshot it needs is here. */
  async #learn(lane: Lane): Promise<Emission | undefined> {
    const { batch } = lane
    const snapshot = this.#newest.value
    const end = this.#ends.get(batch.partition)
    const due = batch.full || (batch.rows + batch.unfit > 0 && batch.to === end)
    if (!due || snapshot === undefined || this.#learned(batch.partition) !== lane.awaits) return undefined
    const { block, weights } = batch.contents()
    const stop = this.#options.metrics?.eStepSeconds.startTimer()
    const { length } = snapshot.statistics
    // Used again, because what follows copies it; in shared memory, where the E-step's threads write it.
    if (this.#statistics.length !== length) this.#statistics = new Float64Array(new SharedArrayBuffer(8 * length))
    const { statistics, logLikelihood, weight } = await this.#options.eStep(snapshot, block, weights, this.#statistics)
    stop?.()
    const { partition, from: begin, to, rows } = batch
    const value = statisticsCodec.encode({
      model: this.#options.model,
      snapshotVersion: snapshot.version,
      partition,
      from: begin,
      to,
      events: rows,
      offsetsHash: batch.offsetsHash(),
      weight,
      logLikelihood,
      statistics,
      squaredWeight: squaredSum(weights, rows),
    })
    lane.published = lane.awaits
    batch.next()
    lane.awaits = batch.from
    this.#options.onBatch?.(partition, to)
    const records = [{ key: new TextEncoder().encode(this.#options.model), value, partition: 0 }]
    return { publications: [{ topic: this.#options.topics.statistics, records }], settles: [] }
  }
}
