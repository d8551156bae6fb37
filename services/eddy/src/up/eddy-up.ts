import type { EventLog } from '@eddy/log'
import type { Snapshot } from '@eddy/messages'
import { followSnapshots, ledgerOf, nextOffset } from '@eddy/model'
import {
  createHttpServer,
  createMetrics,
  Health,
  type Logger,
  listen,
  type Metrics,
  SnapshotObserver,
} from '@eddy/runtime'
import { type Configuration, customerIds, type Feature, groupName, specificationOf, topicOptions } from '@eddy/settings'
import type { InputEnd } from '@eddy/stepwise-em'
import { openModelSteps } from '@eddy/threads'
import type { FastifyInstance } from 'fastify'
import { filter, firstValueFrom, ReplaySubject, Subject, tap } from 'rxjs'
import { version } from '../program.ts'
import { Assignments } from '../stages/assignments.ts'
import { type Context, snapshotSource } from '../stages/context.ts'
import { runIngest } from '../stages/ingest.ts'
import { logKernel } from '../stages/kernel.ts'
import { untilAborted } from '../stages/on-abort.ts'
import { runScoring } from '../stages/scoring.ts'
import type { StageNeeds } from '../stages/stage-needs.ts'
import { runUpdater } from '../stages/updater.ts'
import { watch } from '../stages/watch.ts'
import { type LearningHooks, runWorker } from '../stages/worker.ts'
import { addApi } from './api.ts'
import { type Replayed, replay } from './replay.ts'

export interface UpOptions {
  readonly configuration: Configuration
  readonly features: readonly Feature[]
  readonly log: EventLog
  /** told what the stages have read, where the log is to ask it */
  readonly needs?: StageNeeds
  readonly logger: Logger
  readonly now: () => number
  /** A replay will follow the start: until it is over, a pause is no reason to learn a mini-batch that is not full. */
  readonly replays?: boolean
}

/** Events that may wait before a replay pauses: they are on disk, but a replay need not run far ahead of the model. */
const replayAhead = 65_536

/** Every service in one process on one log. */
export class EddyUp {
  readonly #options: UpOptions
  readonly #context: Context
  readonly #snapshots = new ReplaySubject<Snapshot>(1)
  readonly #ends = new ReplaySubject<InputEnd>(1)
  readonly #moved = new Subject<void>()
  readonly #stopping = new AbortController()
  readonly #stopped = untilAborted(this.#stopping.signal)
  readonly #parts: Promise<void>[] = []
  readonly #failure = Promise.withResolvers<never>()
  #server: FastifyInstance | undefined
  #snapshot: Snapshot | undefined
  #replaying: boolean

  constructor(options: UpOptions) {
    this.#options = options
    this.#replaying = options.replays ?? false
    const { configuration, features, log, logger, now } = options
    const specification = specificationOf(configuration, features)
    this.#context = {
      configuration,
      log,
      logger,
      now,
      specification,
      steps: openModelSteps(configuration.model, specification),
      rules: features,
      snapshots: this.#snapshots,
      metrics: createMetrics(),
      health: new Health(now),
      assignments: new Assignments(),
      published: new Map(),
      signal: this.#stopping.signal,
    }
    this.#failure.promise.catch(() => {})
  }

  /** Rejects when a stage fails: the process must then end. */
  get failed(): Promise<never> {
    return this.#failure.promise
  }

  /** The newest snapshot, once there is one. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot
  }

  get metrics(): Metrics {
    return this.#context.metrics
  }

  /** Creates the topics and starts every stage. */
  async start(): Promise<void> {
    const { configuration, log, logger, needs } = this.#options
    logKernel(configuration, logger)
    await log.ensureTopics(topicOptions(configuration))
    const moved = (): void => this.#moved.next()
    this.#part(this.#follow())
    this.#part(runIngest(this.#context, moved))
    this.#part(runScoring(this.#context, moved))
    this.#part(this.#learn())
    this.#part(watch(this.#context, ['ingest', 'scoring', 'e-step', 'updater'], () => this.#snapshot))
    if (needs) this.#part(needs.follow(log, () => this.#snapshot, this.#stopping.signal))
    this.#context.metrics.buildInfo.set({ version, node: process.version }, 1)
    this.#context.health.ready()
  }

  /** Serves HTTP; returns the port. */
  async serve(http: Configuration['http'] = this.#options.configuration.http): Promise<number> {
    const { configuration, features, log } = this.#options
    const { health, metrics } = this.#context
    this.#server = createHttpServer(http, health, metrics)
    addApi(this.#server, {
      configuration,
      features: features.map(({ name }) => name),
      log,
      logger: this.#options.logger,
      metrics,
      backlog: () => this.#backlog(),
      snapshot: () => this.#snapshot,
      ids: customerIds(configuration),
    })
    return listen(this.#server, http)
  }

  /** Appends a file's events; returns when all are durable. */
  async replay(path: string, signal: AbortSignal, onProgress?: (share: number) => void): Promise<Replayed> {
    const { log, configuration, features } = this.#options
    this.#replaying = true
    try {
      const names = features.map(({ name }) => name)
      return await replay(path, {
        log,
        configuration,
        features: names,
        signal,
        onProgress,
        room: () => this.#until(() => this.#hasRoom()),
      })
    } finally {
      this.#replaying = false
    }
  }

  /** Resolves when every event is labelled and learned, or quarantined. Nothing may be appended meanwhile. */
  async drained(): Promise<void> {
    const { topics } = this.#options.configuration
    await this.#until(async () => (await this.#backlog()) === 0)
    await this.#endHere()
    await this.#until(
      async () => (await this.#lag(topics.features, 'scoring')) === 0 && (await this.#unlearned()) === 0,
    )
  }

  /** Not ready → stop the input → what is under way becomes durable → end. The log stays open. */
  async stop(): Promise<void> {
    this.#context.health.unready('stopping')
    this.#stopping.abort()
    await Promise.allSettled(this.#parts)
    await this.#context.steps.close()
    await this.#server?.close()
  }

  #part(work: Promise<void>): void {
    this.#parts.push(work)
    work.catch(error => this.#failure.reject(error))
  }

  async #follow(): Promise<void> {
    const observer = new SnapshotObserver(this.#context.metrics)
    const following = followSnapshots(snapshotSource(this.#context), this.#stopping.signal).pipe(
      tap(snapshot => {
        this.#snapshot = snapshot
        this.#options.needs?.published(snapshot)
        observer.observe(snapshot)
        this.#snapshots.next(snapshot)
        this.#moved.next()
      }),
    )
    await new Promise<void>((resolve, reject) => following.subscribe({ complete: resolve, error: reject }))
    this.#snapshots.complete()
    this.#ends.complete()
  }

  /** The worker starts when the updater has folded what an earlier process left, so that nothing is done twice. */
  async #learn(): Promise<void> {
    const hooks: LearningHooks = { ends: this.#ends, whenQuiet: () => this.#whenQuiet() }
    const caughtUp = Promise.withResolvers<bigint>()
    const updating = runUpdater(this.#context, { ...hooks, onCaughtUp: caughtUp.resolve })
    const version = await Promise.race([caughtUp.promise, updating])
    if (version === undefined) return
    const current = this.#snapshots.pipe(filter(snapshot => snapshot.version >= version))
    if ((await firstValueFrom(current, { defaultValue: undefined })) === undefined) return updating
    await Promise.all([updating, runWorker(this.#context, hooks)])
  }

  async #endHere(): Promise<void> {
    this.#ends.next(await this.#featuresEnd())
  }

  /** Only what is there in full is cut short: a stage that waits for the disk, or a replay, leaves a pause too. */
  async #whenQuiet(): Promise<InputEnd | undefined> {
    return this.#replaying || (await this.#backlog()) > 0 ? undefined : this.#featuresEnd()
  }

  async #featuresEnd(): Promise<ReadonlyMap<number, number>> {
    const offsets = await this.#options.log.offsets(this.#options.configuration.topics.features)
    return new Map(offsets.map(({ partition, end }) => [partition, end]))
  }

  async #hasRoom(): Promise<boolean> {
    const { topics } = this.#options.configuration
    return (
      (await this.#backlog()) < replayAhead &&
      (await this.#unlearned()) < replayAhead &&
      (await this.#lag(topics.features, 'scoring')) < replayAhead
    )
  }

  #backlog(): Promise<number> {
    return this.#lag(this.#options.configuration.topics.events, 'ingest')
  }

  async #lag(topic: string, stage: string): Promise<number> {
    const { log, configuration } = this.#options
    const positions = await log.positions(topic, groupName(configuration, stage))
    const offsets = await log.offsets(topic)
    return offsets.reduce((sum, { partition, end }) => sum + end - (positions.get(partition) ?? 0), 0)
  }

  /** Feature vectors that the newest snapshot has not learned. */
  async #unlearned(): Promise<number> {
    const ledger = ledgerOf(this.#snapshot?.ledger ?? [])
    const offsets = await this.#options.log.offsets(this.#options.configuration.topics.features)
    return offsets.reduce((sum, { partition, end }) => sum + Math.max(0, end - nextOffset(ledger, partition)), 0)
  }

  /** Looks again whenever a stage has moved on. */
  async #until(condition: () => Promise<boolean>): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const moved = firstValueFrom(this.#moved, { defaultValue: undefined })
      if (await condition()) return
      await Promise.race([moved, this.failed, this.#stopped])
    }
  }
}
