import { type InputTotals, ingestService, type Replayed, type ReplayOptions, replay } from '@eddy/ingest'
import type { Snapshot } from '@eddy/messages'
import { soundSample } from '@eddy/mixture'
import { newestSnapshot } from '@eddy/model'
import {
  committedPosition,
  lagOf,
  learnedPosition,
  type Metrics,
  type RunningProcess,
  type StageNeeds,
  totalLag,
} from '@eddy/runtime'
import { LabelChunks, scoringService } from '@eddy/scoring'
import { groupName, specificationOf, topicOptions } from '@eddy/settings'
import { type InputEnd, type LearningOptions, learningService } from '@eddy/stepwise-em'
import { firstValueFrom, ReplaySubject, Subject } from 'rxjs'
import { refuseChangedForm } from './refuse-changed-form.ts'
import { standing } from './stage-lags.ts'
import { type StartOptions, startServices } from './start-services.ts'

export interface UpOptions extends Omit<StartOptions, 'mayWait'> {
  /** a model to begin with, where none is stored */
  readonly initial?: LearningOptions['initial']
  /** A replay will follow the start: until it is over, a pause is no reason to learn a mini-batch that is not full. */
  readonly replays?: boolean
  /** told what the stages have read, where the log is to ask it */
  readonly needs?: StageNeeds
  /** ends a replay and every wait; `stop` is still to be called */
  readonly signal?: AbortSignal
}

/** Events that may wait before a replay pauses: they are on disk, but a replay need not run far ahead of the model. */
const replayAhead = 65_536

/** What is chosen for each replay. */
type ReplayChoice = 'signal' | 'key' | 'skipInvalid' | 'onInvalid' | 'onProgress'

/** Every service in one process on one log. */
export class EddyUp {
  readonly #options: UpOptions
  readonly #ends = new ReplaySubject<InputEnd>(1)
  /** whenever a stage has moved on; errors when one fails, completes at the stop */
  readonly #moved = new Subject<void>()
  #running: RunningProcess | undefined
  /** the newest when this was started, until the process that follows them has read it */
  #stored: Snapshot | undefined
  #input: InputTotals | undefined
  #replaying: boolean
  #stopping = false

  constructor(options: UpOptions) {
    this.#options = options
    this.#replaying = options.replays ?? false
    if (options.signal?.aborted === true) this.#endWaits()
    else options.signal?.addEventListener('abort', () => this.#endWaits(), { once: true })
  }

  /** Creates the topics and starts every service; returns the port of its HTTP side. */
  async start(): Promise<number | undefined> {
    const { configuration, features, log, needs } = this.#options
    const { batchSize } = configuration.model
    const onDurable = (): void => this.#moved.next()
    const chunks = new LabelChunks()
    const hooks = { ends: this.#ends, whenQuiet: () => this.#whenQuiet() }
    await refuseChangedForm(log, configuration, features)
    await log.ensureTopics(topicOptions(configuration), { alter: true })
    const { topics, model } = configuration
    this.#stored = await newestSnapshot({ log, topic: topics.snapshots, model: model.name })
    this.#running = await startServices(
      ({ steps, ...parts }) => [
        ingestService({
          ...parts,
          onDurable,
          onInput: totals => {
            this.#input = totals
          },
          onErased: () => chunks.clear(),
        }),
        scoringService({ ...parts, ...steps, onDurable, chunks }),
        learningService({ ...parts, ...steps, initial: this.#options.initial }, hooks),
        ...(needs === undefined ? [] : [needs.service()]),
      ],
      { ...this.#options, mayWait: vectors => this.#replaying && vectors < batchSize },
    )
    this.#running.snapshots.subscribe({ next: onDurable })
    this.#running.failed.catch(error => this.#moved.error(error))
    return this.#running.port
  }

  /** Rejects when a service fails or is stuck: the process must then end. */
  get failed(): Promise<never> {
    return this.#started.failed
  }

  /** What the input of this run was like, once it has stopped. */
  get input(): InputTotals | undefined {
    return this.#input
  }

  /** The newest snapshot, once there is one. */
  get snapshot(): Snapshot | undefined {
    return this.#running?.newestSnapshot() ?? this.#stored
  }

  get metrics(): Metrics {
    return this.#started.metrics
  }

  /** Appends a file's events; returns when all are durable. */
  async replay(path: string, options: Pick<ReplayOptions, ReplayChoice>): Promise<Replayed> {
    const { log, configuration, features, now } = this.#options
    this.#replaying = true
    try {
      const room = async (): Promise<void> => void (await this.#until(() => this.#hasRoom()))
      return await replay(path, { log, configuration, features, now, room, ...options })
    } finally {
      this.#replaying = false
    }
  }

  /**
   * Resolves when every event is labelled and learned, or quarantined. Nothing may be appended meanwhile.
   * @returns false where a stop came first
   */
  async drained(): Promise<boolean> {
    if (!(await this.#until(async () => (await this.#backlog()) === 0))) return false
    this.#ends.next(await this.#featuresEnd())
    return this.#until(async () => (await this.#unlabelled()) === 0 && (await this.#unlearned()) === 0)
  }

  /** Where each stage stands that has something left to do: see `standing`. */
  standing(): Promise<string[]> {
    const { log, configuration } = this.#options
    return standing(log, configuration, this.snapshot)
  }

  /** As `drained`; but a warm-up that has too few events goes on: then resolves when they are labelled, if there is a model for that. */
  async settled(): Promise<boolean> {
    const { configuration, features, log } = this.#options
    if (!(await this.#until(async () => (await this.#backlog()) === 0))) return false
    const offsets = await log.offsets(configuration.topics.features)
    const events = offsets.reduce((sum, { start, end }) => sum + end - start, 0)
    if (events >= configuration.model.warmUp.events || this.snapshot?.provisional === false) return this.drained()
    if (events < soundSample(specificationOf(configuration, features))) return true
    return this.#until(async () => (await this.#unlabelled()) === 0)
  }

  /** Not ready → stop the input → what is under way becomes durable → end. The log stays open. */
  async stop(): Promise<void> {
    this.#endWaits()
    await this.#running?.stop()
  }

  #endWaits(): void {
    this.#stopping = true
    this.#moved.complete()
  }

  get #started(): RunningProcess {
    if (this.#running === undefined) throw new Error('EddyUp: expected start() first')
    return this.#running
  }

  /** Only what is there in full is cut short: a stage that waits for the disk, or a replay, leaves a pause too. */
  async #whenQuiet(): Promise<InputEnd | undefined> {
    return this.#replaying || (await this.#backlog()) > 0 ? undefined : this.#featuresEnd()
  }

  async #featuresEnd(): Promise<ReadonlyMap<number, number>> {
    const { log, configuration } = this.#options
    const offsets = await log.offsets(configuration.topics.features)
    return new Map(offsets.map(({ partition, end }) => [partition, end]))
  }

  async #hasRoom(): Promise<boolean> {
    // Before the first model nothing is learned or labelled, however long is waited.
    const ahead =
      replayAhead + (this.snapshot?.provisional === false ? 0 : this.#options.configuration.model.warmUp.events)
    return (
      (await this.#backlog()) < replayAhead && (await this.#unlearned()) < ahead && (await this.#unlabelled()) < ahead
    )
  }

  #backlog(): Promise<number> {
    return this.#lag(this.#options.configuration.topics.events, 'ingest')
  }

  #unlabelled(): Promise<number> {
    return this.#lag(this.#options.configuration.topics.features, 'scoring')
  }

  async #lag(topic: string, stage: string): Promise<number> {
    const { log, configuration } = this.#options
    return totalLag(await lagOf(log, topic, await committedPosition(log, topic, groupName(configuration, stage))))
  }

  /** Feature vectors that the newest snapshot has not learned. */
  async #unlearned(): Promise<number> {
    const { log, configuration } = this.#options
    return totalLag(await lagOf(log, configuration.topics.features, learnedPosition(this.snapshot)))
  }

  /** Looks again whenever a stage has moved on. @returns false where a stop came first */
  async #until(condition: () => Promise<boolean>): Promise<boolean> {
    while (!this.#stopping) {
      const moved = firstValueFrom(this.#moved, { defaultValue: undefined })
      moved.catch(() => {})
      if (await condition()) return true
      await moved
    }
    return false
  }
}
