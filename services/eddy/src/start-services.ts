import { ingestService } from '@eddy/ingest'
import type { EventLog } from '@eddy/log'
import { kernelInfo, type ModelSpecification } from '@eddy/mixture'
import {
  type Logger,
  type ProcessOptions,
  type RunningProcess,
  type Service,
  startProcess,
  untilAborted,
} from '@eddy/runtime'
import { scoringService } from '@eddy/scoring'
import { type Configuration, type Feature, groupName, specificationOf } from '@eddy/settings'
import { updaterService, workerService } from '@eddy/stepwise-em'
import { type ModelThreads, openModelSteps } from '@eddy/threads'
import { version } from './program.ts'
import { refuseChangedForm } from './refuse-changed-form.ts'

/** What services are made of. */
export interface Parts {
  readonly configuration: Configuration
  readonly features: readonly Feature[]
  /** the model's form */
  readonly specification: ModelSpecification
  /** E-step, M-step and scoring, which the services of a process share */
  readonly steps: ModelThreads
}

/** The services that run as processes of their own, on Kafka. */
export const services = {
  ingest: parts => ingestService(parts),
  'em-worker': ({ steps, ...parts }) => workerService({ ...parts, ...steps }),
  'em-updater': ({ steps, ...parts }) => updaterService({ ...parts, ...steps }),
  scoring: ({ steps, ...parts }) => scoringService({ ...parts, ...steps }),
} as const satisfies Readonly<Record<string, (parts: Parts) => Service>>

export type ServiceName = keyof typeof services

export interface StartOptions extends Pick<Parts, 'configuration' | 'features'> {
  readonly log: EventLog
  readonly logger: Logger
  readonly now: () => number
  readonly http?: ProcessOptions['http']
  readonly mayWait?: ProcessOptions['mayWait']
}

/**
 * Starts services in one process, as a configuration says.
 * @param make the services, of what they are made of
 * @throws {KernelError} if the configured kernel does not run here
 */
export async function startServices(
  make: (parts: Parts) => readonly Service[],
  options: StartOptions,
): Promise<RunningProcess> {
  const { configuration, features, logger } = options
  const { model, topics, log: kept } = configuration
  logger.info(kernelInfo(model.kernel), 'kernel')
  const specification = specificationOf(configuration, features)
  const steps = openModelSteps(model, specification)
  try {
    const running = await startProcess(make({ configuration, features, specification, steps }), {
      ...options,
      version,
      topics,
      groupOf: stage => groupName(configuration, stage),
      directory: kept.kind === 'embedded' ? kept.directory : undefined,
      snapshots: { topic: topics.snapshots, model: model.name },
      // What waits for a mini-batch to fill is not late.
      stalledAfterMs: Math.max(60_000, 2 * model.maxWaitMs),
    })
    return { ...running, stop: () => running.stop().finally(() => steps.close()) }
  } catch (error) {
    await steps.close()
    throw error
  }
}

export interface RunOptions extends StartOptions {
  readonly name: ServiceName
  /** ends the input; what is under way still becomes durable */
  readonly signal: AbortSignal
  /** told the port of its HTTP side */
  readonly onListening?: (port: number) => void
}

/**
 * Runs one service until the signal. Rejects when it fails or is stuck (records to do and no progress for a minute): the
 * process must then end, and whoever supervises it starts another.
 */
export async function runService({ name, signal, onListening, ...options }: RunOptions): Promise<void> {
  const { configuration, features, log } = options
  await refuseChangedForm(log, configuration, features)
  const { http } = configuration
  const running = await startServices(parts => [services[name](parts)], { http, ...options })
  if (running.port !== undefined) onListening?.(running.port)
  try {
    await Promise.race([running.failed, untilAborted(signal)])
  } finally {
    await running.stop()
  }
  // What was under way may have failed to become durable.
  await Promise.race([running.failed, Promise.resolve()])
}
