import { type Delivery, LogError, type OutgoingRecord, type Publication } from '@eddy/log'
import { type Snapshot, type StatisticsMessage, statisticsCodec } from '@eddy/messages'
import {
  empty,
  isDue,
  type Kernel,
  type ModelSpecification,
  type SpecifiedModel,
  specifiedModel,
  squaredSum,
  stepSize,
  surprisedBy,
} from '@eddy/mixture'
import { extend, type Ledger, ledgerEntries, ledgerOf, snapshotRecords } from '@eddy/model'
import type { Emission, Logger, Metrics } from '@eddy/runtime'
import { localMStep, type MStep } from '@eddy/threads'
import { changedSegments } from './changed-segments.ts'
import type { LearnedEvents } from './learned-events.ts'
import { Learner } from './learner.ts'
import { revise } from './revise.ts'

export interface UpdaterOptions {
  readonly model: string
  /** folds between snapshots, ≥ 1 */
  readonly foldsPerSnapshot: number
  /** of one record's value: a larger snapshot is split */
  readonly maxRecordBytes: number
  readonly topics: { readonly snapshots: string; readonly lineage: string }
  readonly seed: number
  /** where a partition of the features topic begins by now */
  readonly start: (partition: number) => Promise<number>
  /** what to do where events that were to be learned next are gone */
  readonly onGap: 'fail' | 'skip'
  /** what components are judged by and learned anew from, when that is due */
  readonly events: LearnedEvents
  /** what that is done by, default `auto` */
  readonly kernel?: Kernel
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
 * A message is accepted only if it begins where the ledger ends, or after what is gone (`onGap`). When it is due, components are learned
 * anew from stored events, and replace these if they are better: see `revise`. What that leads to depends on the messages, the
 * features topic and the seed alone.
 */
export class Updater {
  readonly #options: UpdaterOptions
  readonly #model: SpecifiedModel
  #learner: Learner
  /** its arrays are the learner's */
  #snapshot: Snapshot
  #folds = 0

  constructor(options: UpdaterOptions, initial: Snapshot) {
    this.#options = options
    this.#snapshot = initial
    this.#model = specifiedModel(JSON.parse(initial.specification) as ModelSpecification, options.kernel)
    // Of an older version, which did not record what was learned in weight, or what was expected.
    if (initial.weight < 0) this.#snapshot = { ...this.#snapshot, weight: initial.effectiveSampleSize }
    if (initial.surprise < 0) {
      const { prequentialLogLikelihood: expectedLogLikelihood, weight: judgedWeight } = this.#snapshot
      this.#snapshot = { ...this.#snapshot, expectedLogLikelihood, surprise: 0, judgedWeight }
    }
    this.#learner = this.#learnerOf(this.#snapshot)
  }

  #learnerOf(snapshot: Snapshot): Learner {
    const state = { ...snapshot, step: Number(snapshot.step) }
    return new Learner(snapshot.specification, state, this.#options.mStep ?? localMStep())
  }

  /** Of the newest published snapshot. */
  get version(): bigint {
    return this.#snapshot.version
  }

  /** Folds the messages of a delivery; one delivery at a time. */
  async fold(delivery: Delivery): Promise<Emission> {
    const snapshots: OutgoingRecord[] = []
    const lineage: OutgoingRecord[] = []
    for (const { offset, value } of delivery.records) {
      const accepted = await this.#accept(value, offset)
      if (accepted === undefined) continue
      const changes = await this.#revise()
      if (++this.#folds < this.#options.foldsPerSnapshot && changes === undefined) continue
      this.#folds = 0
      snapshots.push(...this.#publish())
      lineage.push(...(changes ?? []))
    }
    const { topics } = this.#options
    const publications: Publication[] = []
    if (snapshots.length > 0) publications.push({ topic: topics.snapshots, records: snapshots })
    if (lineage.length > 0) publications.push({ topic: topics.lineage, records: lineage })
    return { publications, settles: [delivery] }
  }

  async #accept(value: Uint8Array | null, offset: number): Promise<Snapshot | undefined> {
    const { model, metrics, logger } = this.#options
    const message = this.#decode(value, offset)
    if (message === undefined || message.model !== model) return undefined
    const current = ledgerOf(this.#snapshot.ledger)
    const ledger = extend(current, message) ?? (await this.#pastGap(current, message))
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

  /** @throws where there is a gap, and it is not to be skipped */
  async #pastGap(current: Ledger, message: StatisticsMessage): Promise<Ledger | undefined> {
    const { partition, from } = message
    const known = current.get(partition)
    if (from <= (known?.next ?? 0)) return undefined
    const ledger = extend(current, message, await this.#options.start(partition))
    if (ledger === undefined || known === undefined) return ledger
    const gap = `ledger of partition ${partition}: expected statistics from offset ${known.next}, got them from ${from}, since retention has dropped those between`
    if (this.#options.onGap === 'fail')
      throw new LogError(
        `${gap}. Start with --on-gap skip (log.onGap) to go on; the ledger says how many were skipped.`,
      )
    this.#options.logger.warn(
      { stage: 'updater', partition, from: known.next, to: from },
      'events were gone before they could be learned',
    )
    return ledger
  }

  #decode(value: Uint8Array | null, offset: number): StatisticsMessage | undefined {
    try {
      const message = statisticsCodec.decode(value as Uint8Array)
      const { statisticsLength } = this.#model.mixture
      if (message.statistics.length !== statisticsLength) {
        throw new Error(`statistics: expected ${statisticsLength} numbers, got ${message.statistics.length}`)
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
    const {
      statistics: sum,
      weight,
      squaredWeight,
      logLikelihood,
    } = message.snapshotVersion < previous.epoch ? await this.#underTheseComponents(message) : message
    const gamma = stepSize(this.#model.specification.stepSize, this.#learner.state.weight, weight)
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
      ...surprisedBy(previous, logLikelihood, weight),
    }
  }

  /** The E-step of a range again: it was done under components that have been replaced since. */
  async #underTheseComponents(message: StatisticsMessage): Promise<StatisticsMessage> {
    const statistics = empty(this.#model.mixture)
    let logLikelihood = 0
    // Of events that have been erased since, nothing is learned.
    let weight = 0
    let squaredWeight = 0
    await this.#options.events.visit([message], (block, weights) => {
      const part = this.#model.expectation(this.#snapshot.parameters, block, weights, statistics)
      logLikelihood += part.logLikelihood
      weight += part.weight
      squaredWeight += squaredSum(weights, block.rows)
    })
    return { ...message, statistics, logLikelihood, weight, squaredWeight }
  }

  /** Judges the components when they are due. @returns lineage, where they were replaced */
  async #revise(): Promise<OutgoingRecord[] | undefined> {
    const { logger, now, model } = this.#options
    const { weight, version } = this.#snapshot
    if (!isDue(this.#model.specification, this.#snapshot, weight)) return undefined
    const revision = await revise(this.#snapshot, this.#options)
    if (revision === undefined) {
      this.#snapshot = { ...this.#snapshot, surprise: 0, judgedWeight: weight }
      return undefined
    }
    const { snapshot, changed, gain, gainError, events } = revision
    this.#snapshot = snapshot
    if (changed === undefined) {
      logger.info(
        { events, gain, gainError },
        'segments were judged by stored events: others that were learned from these are no better',
      )
      return undefined
    }
    logger.info(
      { events, gain, gainError, ...changed },
      'segments were judged by stored events, and learned anew from these',
    )
    this.#learner = this.#learnerOf(snapshot)
    return changedSegments(changed, { model, snapshotVersion: version + 1n, time: now() })
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
