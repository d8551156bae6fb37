import type { Delivery, OutgoingRecord } from '@eddy/log'
import { type Snapshot, type StatisticsMessage, statisticsCodec } from '@eddy/messages'
import { createMixture, type ModelSpecification, stepSize } from '@eddy/mixture'
import { extend, ledgerEntries, ledgerOf, snapshotRecords } from '@eddy/model'
import type { Emission, Logger, Metrics } from '@eddy/runtime'
import { localMStep, type MStep } from '@eddy/threads'
import { Learner } from './learner.ts'

export interface UpdaterOptions {
  readonly model: string
  /** folds between snapshots, ≥ 1 */
  readonly foldsPerSnapshot: number
  /** of one record's value: a larger snapshot is split */
  readonly maxRecordBytes: number
  readonly topics: { readonly snapshots: string }
  readonly now: () => number
  /** default: on the calling thread */
  readonly mStep?: MStep
  readonly logger: Logger
  readonly metrics?: Pick<Metrics, 'foldsAccepted' | 'foldsRefused' | 'mStepSeconds' | 'snapshotBytes' | 'stepSize'>
}

/** Share of the newest mini-batch in the decayed prequential log-likelihood. */
const recency = 0.05

/**
 * Folds statistics messages in the topic's own order into the model and publishes snapshots. One updater a model.
 * A message is accepted only if it begins where the ledger ends.
 */
export class Updater {
  readonly #options: UpdaterOptions
  readonly #specification: ModelSpecification
  readonly #statisticsLength: number
  readonly #learner: Learner
  /** its arrays are the learner's */
  #snapshot: Snapshot
  #folds = 0

  constructor(options: UpdaterOptions, initial: Snapshot) {
    this.#options = options
    this.#snapshot = initial
    this.#specification = JSON.parse(initial.specification) as ModelSpecification
    this.#statisticsLength = createMixture(this.#specification).statisticsLength
    const { weight, effectiveSampleSize } = initial
    const state = { ...initial, step: Number(initial.step), weight: weight < 0 ? effectiveSampleSize : weight }
    this.#learner = new Learner(initial.specification, state, options.mStep ?? localMStep())
  }

  /** Of the newest published snapshot. */
  get version(): bigint {
    return this.#snapshot.version
  }

  /** Folds the messages of a delivery; one delivery at a time. */
  async fold(delivery: Delivery): Promise<Emission> {
    const snapshots: OutgoingRecord[] = []
    for (const { offset, value } of delivery.records) {
      const accepted = await this.#accept(value, offset)
      if (accepted === undefined || ++this.#folds < this.#options.foldsPerSnapshot) continue
      this.#folds = 0
      snapshots.push(...this.#publish())
    }
    const publications = snapshots.length === 0 ? [] : [{ topic: this.#options.topics.snapshots, records: snapshots }]
    return { publications, settles: [delivery] }
  }

  async #accept(value: Uint8Array | null, offset: number): Promise<Snapshot | undefined> {
    const { model, metrics, logger } = this.#options
    const message = this.#decode(value, offset)
    if (message === undefined || message.model !== model) return undefined
    const ledger = extend(ledgerOf(this.#snapshot.ledger), message)
    if (ledger === undefined) {
      metrics?.foldsRefused.inc({ model, reason: 'not-next' })
      const { partition, from, to } = message
      logger.debug({ partition, from, to }, 'statistics refused: they do not begin where the ledger ends')
      return undefined
    }
    const stop = metrics?.mStepSeconds.startTimer()
    const learned = await this.#learn(message)
    this.#snapshot = { ...learned, ledger: ledgerEntries(ledger), statisticsOffset: offset + 1 }
    stop?.()
    metrics?.foldsAccepted.inc({ model })
    return this.#snapshot
  }

  #decode(value: Uint8Array | null, offset: number): StatisticsMessage | undefined {
    try {
      const message = statisticsCodec.decode(value as Uint8Array)
      if (message.statistics.length !== this.#statisticsLength) {
        throw new Error(`statistics: expected ${this.#statisticsLength} numbers, got ${message.statistics.length}`)
      }
      for (let i = 0; i < message.statistics.length; i++)
        if (!Number.isFinite(message.statistics[i])) throw new Error('statistics: expected finite numbers')
      return message
    } catch (error) {
      this.#options.metrics?.foldsRefused.inc({ model: this.#options.model, reason: 'malformed' })
      this.#options.logger.error({ offset, error: (error as Error).message }, 'statistics message refused')
      return undefined
    }
  }

  async #learn(message: StatisticsMessage): Promise<Snapshot> {
    const previous = this.#snapshot
    const { statistics: sum, weight, squaredWeight, logLikelihood } = message
    const gamma = stepSize(this.#specification.stepSize, this.#learner.state.weight, weight)
    if (weight === 0 || !(await this.#learner.learn(sum, weight, squaredWeight < 0 ? weight : squaredWeight)))
      return previous
    const { parameters, statistics, step, weight: learned, effectiveSampleSize } = this.#learner.state
    this.#options.metrics?.stepSize.set({ model: this.#options.model }, gamma)
    const prequential = logLikelihood / weight
    return {
      ...previous,
      parameters,
      statistics,
      step: BigInt(step),
      prequentialLogLikelihood: Number.isNaN(previous.prequentialLogLikelihood)
        ? prequential
        : previous.prequentialLogLikelihood + recency * (prequential - previous.prequentialLogLikelihood),
      effectiveSampleSize,
      weight: learned,
    }
  }

  #publish(): OutgoingRecord[] {
    const { model, now, maxRecordBytes, metrics } = this.#options
    this.#snapshot = { ...this.#snapshot, version: this.#snapshot.version + 1n, createdAt: now() }
    const records = snapshotRecords(this.#snapshot, maxRecordBytes)
    const bytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
    metrics?.snapshotBytes.set({ model }, bytes)
    return records
  }
}
