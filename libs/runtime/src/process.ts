import type { EventLog } from '@eddy/log'
import type { Snapshot } from '@eddy/messages'
import { followSnapshots, type SnapshotSource } from '@eddy/model'
import type { FastifyInstance } from 'fastify'
import { type Observable, ReplaySubject } from 'rxjs'
import { Assignments } from './assignments.ts'
import { Health } from './health.ts'
import type { Logger } from './logger.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { SnapshotObserver } from './observe-snapshot.ts'
import { type ServeOptions, serve } from './serve.ts'
import { type WatchedStage, type WatchOptions, watch } from './watch.ts'
import { whenStuck } from './watchdog.ts'

/** What the services of a process share. */
export interface Process {
  readonly log: EventLog
  readonly logger: Logger
  readonly metrics: Metrics
  readonly health: Health
  readonly assignments: Assignments
  /** where the model's snapshots are kept */
  readonly snapshotSource: SnapshotSource
  /** newest first, then each as it is published; of services that need a model */
  readonly snapshots: Observable<Snapshot>
  /** the newest one, once there is one */
  readonly newestSnapshot: () => Snapshot | undefined
  /** by partition of the features topic, how far statistics have been published */
  readonly published: Map<number, number>
  /** ends the input; what is under way still becomes durable */
  readonly signal: AbortSignal
  readonly now: () => number
}

/** A service: what it runs and what it serves. A process has one of them, on a broker, or all. */
export interface Service {
  /** whose lag is looked at */
  readonly stages: readonly WatchedStage[]
  /** whether it follows the model's snapshots */
  readonly needsModel: boolean
  /** its routes, beside those that every process has */
  readonly routes?: (server: FastifyInstance, process: Process) => void
  /** Runs until the signal, and then until what is under way is durable. Rejects when it fails. */
  run(process: Process): Promise<void>
}

export interface ProcessOptions
  extends Pick<WatchOptions, 'topics' | 'groupOf' | 'directory' | 'mayWait' | 'now'>,
    Pick<Process, 'log' | 'logger'> {
  readonly version: string
  /** none without it */
  readonly http?: ServeOptions | undefined
  readonly snapshots: { readonly topic: string; readonly model: string }
  /** a partition with lag and without progress for this long is stalled, milliseconds; default a minute */
  readonly stalledAfterMs?: number | undefined
}

export interface RunningProcess extends Pick<Process, 'metrics' | 'health' | 'snapshots' | 'newestSnapshot'> {
  /** of its HTTP side */
  readonly port: number | undefined
  /** Rejects when a service fails, or is stuck (records to do and no progress for a minute): the process must then end. */
  readonly failed: Promise<never>
  /**
   * Not ready → no more requests, and those in flight answered → stop the input → what is under way becomes durable, unless something has
   * failed → end. The log stays open. Idempotent.
   */
  stop(): Promise<void>
}

/** Runs services on one log: snapshots followed, lag watched, HTTP served, and a watchdog over all. */
export async function startProcess(services: readonly Service[], options: ProcessOptions): Promise<RunningProcess> {
  const { log, logger, now, http, version, stalledAfterMs } = options
  const stopping = new AbortController()
  const snapshots = new ReplaySubject<Snapshot>(1)
  let newest: Snapshot | undefined
  const process: Process = {
    log,
    logger,
    metrics: createMetrics(),
    health: new Health(now, stalledAfterMs),
    assignments: new Assignments(),
    snapshotSource: {
      log,
      ...options.snapshots,
      onDamage: message =>
        logger.error({ message }, 'a snapshot cannot be read: going on from an older one and the statistics after it'),
    },
    snapshots,
    newestSnapshot: () => newest,
    published: new Map(),
    signal: stopping.signal,
    now,
  }
  const { metrics, health } = process
  const addRoutes = (server: FastifyInstance): void => {
    for (const { routes } of services) routes?.(server, process)
  }
  const side = http === undefined ? undefined : await serve(http, { ...process, addRoutes })
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => {})
  const parts: Promise<void>[] = []
  const part = (work: Promise<void>): void => {
    parts.push(work)
    work.catch(failure.reject)
  }
  if (services.some(({ needsModel }) => needsModel)) {
    const observer = new SnapshotObserver(metrics)
    const following = follow(process, snapshot => {
      newest = snapshot
      observer.observe(snapshot)
      snapshots.next(snapshot)
    })
    part(following.then(() => snapshots.complete()))
  }
  for (const service of services) part(service.run(process))
  const stages = services.flatMap(service => service.stages)
  part(watch(stages, { ...options, ...process, snapshot: () => newest }))
  const stuck = whenStuck(health)
  stuck.promise.catch(failure.reject)
  metrics.buildInfo.set({ version, node: globalThis.process.version }, 1)
  health.ready()
  return {
    port: side?.port,
    metrics,
    health,
    snapshots,
    newestSnapshot: () => newest,
    failed: failure.promise,
    async stop() {
      health.unready('stopping')
      stuck.cancel()
      await side?.drain()
      stopping.abort()
      await Promise.race([Promise.allSettled(parts), failure.promise.catch(() => {})])
      await side?.close()
    },
  }
}

function follow({ snapshotSource, signal }: Process, next: (snapshot: Snapshot) => void): Promise<void> {
  return new Promise((complete, error) => followSnapshots(snapshotSource, signal).subscribe({ next, complete, error }))
}
