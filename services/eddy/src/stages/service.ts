import type { EventLog } from '@eddy/log'
import type { Snapshot } from '@eddy/messages'
import { followSnapshots } from '@eddy/model'
import { createHttpServer, createMetrics, Health, type Logger, listen, SnapshotObserver } from '@eddy/runtime'
import { type Configuration, type Feature, specificationOf } from '@eddy/settings'
import { openModelSteps } from '@eddy/threads'
import type { FastifyInstance } from 'fastify'
import { ReplaySubject } from 'rxjs'
import { version } from '../program.ts'
import { Assignments } from './assignments.ts'
import { type Context, snapshotSource } from './context.ts'
import { runIngest } from './ingest.ts'
import { logKernel } from './kernel.ts'
import { runScoring } from './scoring.ts'
import { runUpdater } from './updater.ts'
import { type WatchedStage, watch } from './watch.ts'
import { runWorker } from './worker.ts'

interface Service {
  readonly stage: WatchedStage
  readonly run: (context: Context) => Promise<void>
}

/** The services that run as processes of their own on Kafka, and how each runs. */
export const services = {
  ingest: { stage: 'ingest', run: context => runIngest(context) },
  'em-worker': { stage: 'e-step', run: context => runWorker(context) },
  'em-updater': { stage: 'updater', run: context => runUpdater(context) },
  scoring: { stage: 'scoring', run: context => runScoring(context) },
} as const satisfies Readonly<Record<string, Service>>

export type ServiceName = keyof typeof services

/** How often a process looks whether it is stuck, milliseconds. */
const stuckCheckMs = 5000

export interface ServiceOptions {
  readonly name: ServiceName
  readonly configuration: Configuration
  readonly features: readonly Feature[]
  readonly log: EventLog
  readonly logger: Logger
  readonly now: () => number
  /** ends the input; what is under way still becomes durable */
  readonly signal: AbortSignal
  /** told the port of its HTTP side */
  readonly onListening?: (port: number) => void
}

/**
 * Runs one service until the signal. Rejects when it fails or is stuck (records to do and no progress for a minute): the
 * process must then end, and whoever supervises it starts another.
 */
export async function runService(options: ServiceOptions): Promise<void> {
  const { name, configuration, features, log, logger, now, signal, onListening } = options
  logKernel(configuration, logger)
  const snapshots = new ReplaySubject<Snapshot>(1)
  const failed = new AbortController()
  const specification = specificationOf(configuration, features)
  const context: Context = {
    configuration,
    specification,
    steps: openModelSteps(configuration.model, specification),
    rules: features,
    log,
    snapshots,
    logger,
    metrics: createMetrics(),
    health: new Health(now),
    assignments: new Assignments(),
    published: new Map(),
    signal: AbortSignal.any([signal, failed.signal]),
    now,
  }
  const server: FastifyInstance = createHttpServer(configuration.http, context.health, context.metrics)
  const stuck = whenStuck(context)
  try {
    const port = await listen(server, configuration.http)
    onListening?.(port)
    let newest: Snapshot | undefined
    snapshots.subscribe({ next: snapshot => (newest = snapshot), error: () => {} })
    const { stage, run } = services[name]
    const work = name === 'ingest' ? [] : [follow(context, snapshots)]
    work.push(
      run(context),
      watch(context, [stage], () => newest),
    )
    context.metrics.buildInfo.set({ version, node: process.version }, 1)
    context.health.ready()
    await Promise.race([Promise.all(work), stuck.promise])
  } finally {
    context.health.unready('stopping')
    stuck.cancel()
    failed.abort()
    await context.steps.close()
    await server.close()
  }
}

async function follow(context: Context, snapshots: ReplaySubject<Snapshot>): Promise<void> {
  const observer = new SnapshotObserver(context.metrics)
  await new Promise<void>((resolve, reject) =>
    followSnapshots(snapshotSource(context), context.signal).subscribe({
      next: snapshot => {
        observer.observe(snapshot)
        snapshots.next(snapshot)
      },
      complete: resolve,
      error: reject,
    }),
  )
  snapshots.complete()
}

function whenStuck({ health }: Context): { readonly promise: Promise<never>; readonly cancel: () => void } {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setInterval(() => {
    const { stalled } = health
    if (stalled.length > 0)
      reject(
        new Error(
          `expected progress, got none for a minute in ${stalled.join(', ')}; ending so that the supervisor starts again`,
        ),
      )
  }, stuckCheckMs)
  return { promise, cancel: () => clearInterval(timer) }
}
