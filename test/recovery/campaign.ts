import { appendFileSync } from 'node:fs'
import type { Snapshot } from '@eddy/messages'
import { random } from '@eddy/mixture'
import { expect } from 'vitest'
import { temporaryFolder } from '../eddy-process.ts'
import type { Cluster, ClusterOptions } from '../fixtures/broker-process.ts'
import { describeIf, describeWithCluster } from '../fixtures/kafka.ts'
import { kcatAvailable } from '../fixtures/kcat.ts'
import { KafkaPipeline, type PipelineOptions, type Service } from '../kafka-pipeline.ts'

/** Two of each that may have two; the second updater stands by. */
export const everyService: readonly Service[] = [
  'ingest',
  'em-worker',
  'em-worker',
  'em-updater',
  'em-updater',
  'scoring',
  'scoring',
]

/** Faults before a pipeline is replaced by a new one, on the other client. */
const RUNS_A_PIPELINE = 8
/** Events while a fault happens. */
const EVENTS = 2_000
/** How long starting, a fault, publishing and stopping may take each; learning has its own patience. */
const STEP_MS = 120_000

/**
 * By how many standard errors the means and the weights of a model may differ from the uninterrupted run's: with several
 * partitions mini-batches come in another order, and other events make the start. The error is that of two models of
 * such effective sample sizes that are independent; these have even learned the same events.
 */
const TOLERANCE = 4

/** How many faults of a kind: in CI the bounded number, else EDDY_RUNS or the full one. */
export const faults = (full: number, inCi: number): number =>
  process.env.CI === 'true' ? inCi : Number(process.env.EDDY_RUNS ?? full)

/** Tests of faults on brokers of their own, read back by kcat. */
export function describeFaults(name: string, options: ClusterOptions, body: (cluster: () => Cluster) => void): void {
  describeIf(kcatAvailable(), name, 'install kcat', () => describeWithCluster(name, options, body))
}

/** A random number generator of the run, uniform in [0, 1). */
export type Random = () => number

export interface Campaign {
  readonly name: string
  readonly runs: number
  readonly pipeline: Omit<PipelineOptions, 'client' | 'folder'>
  readonly services?: readonly Service[]
  /** Time over which the events of a run come, milliseconds. */
  readonly loadMs: number
  /** One fault, while events come. @returns what was done, for the record */
  readonly fault: (pipeline: KafkaPipeline, next: Random, run: number) => Promise<string>
}

export const choose = <T>(from: readonly T[], next: Random): T => from[Math.floor(next() * from.length)] as T

/** A random moment: the wait is the fault that is injected, not a synchronisation. */
export const moment = (longestMs: number, next: Random): Promise<void> =>
  new Promise(resolve => setTimeout(resolve, next() * longestMs))

/**
 * Injects one fault after the other into running services while events come, and checks after each of them that the
 * promise holds: see KafkaPipeline.verify, and the model against that of an uninterrupted run. Clients take turns.
 */
export async function survive(campaign: Campaign): Promise<void> {
  const folder = temporaryFolder()
  const failures: string[] = []
  const next = random(Number(process.env.EDDY_SEED ?? 1))
  try {
    const uninterrupted = await references(campaign.pipeline, folder.path)
    for (let run = 0, pipelines = 0; run < campaign.runs; pipelines++) {
      const client = pipelines % 2 === 0 ? 'kafkajs' : 'platformatic'
      const pipeline = new KafkaPipeline({ ...campaign.pipeline, client, folder: folder.path })
      const first = run
      const end = Math.min(campaign.runs, first + RUNS_A_PIPELINE)
      try {
        await within('start', begin(pipeline, campaign.services))
        for (const snapshot of uninterrupted)
          if (run < end) await oneRun({ campaign, pipeline, client, next, run: run++ }, snapshot)
        await within('stop', pipeline.stop())
      } catch (error) {
        run = Math.max(run, first + 1) // also where the pipeline did not even start
        failures.push(`${campaign.name}, before run ${run}, ${client}: ${(error as Error).message.slice(0, 6_000)}`)
      } finally {
        await within('end', pipeline.kill()).catch((error: Error) => failures.push(error.message))
      }
    }
  } finally {
    folder.remove()
  }
  expect(failures).toEqual([])
}

async function begin(pipeline: KafkaPipeline, services: readonly Service[] = everyService): Promise<void> {
  await pipeline.create()
  await Promise.all(services.map(service => pipeline.start(service)))
}

/** Names what did not come to its end. */
export function within<T>(what: string, work: Promise<T>, ms = STEP_MS): Promise<T> {
  let timer: NodeJS.Timeout
  const late = new Promise<never>((_, reject) => {
    const message = `expected the end of '${what}' within ${ms / 1000} s, got none`
    timer = setTimeout(() => reject(new Error(message)), ms)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

const known = new Map<string, readonly Snapshot[]>()

/** The model after each run's events where nothing happens; once for a cluster. */
async function references(options: Campaign['pipeline'], folder: string): Promise<readonly Snapshot[]> {
  const cluster = options.brokers.join()
  const snapshots = known.get(cluster) ?? (await learnUninterrupted(options, folder))
  known.set(cluster, snapshots)
  return snapshots
}

async function learnUninterrupted(options: Campaign['pipeline'], folder: string): Promise<readonly Snapshot[]> {
  const services = [...new Set(everyService)]
  const direct = options.direct ?? options.brokers
  const pipeline = new KafkaPipeline({ brokers: direct, client: 'platformatic', folder })
  const snapshots: Snapshot[] = []
  try {
    await within('start, where nothing happens', begin(pipeline, services))
    for (let i = 0; i < RUNS_A_PIPELINE; i++) {
      await pipeline.publish(EVENTS, 0)
      snapshots.push(await pipeline.settled())
    }
    await pipeline.verify(snapshots.at(-1) as Snapshot)
    return snapshots
  } finally {
    await pipeline.kill()
  }
}

interface Run {
  readonly campaign: Campaign
  readonly pipeline: KafkaPipeline
  readonly client: string
  readonly next: Random
  readonly run: number
}

async function oneRun({ campaign, pipeline, client, next, run }: Run, uninterrupted: Snapshot): Promise<void> {
  const began = performance.now()
  let done = 'the fault itself failed'
  const record = (outcome: string): void =>
    note(`${campaign.name} ${run} ${client} ${done}: ${outcome}, ${((performance.now() - began) / 1000).toFixed(1)} s`)
  try {
    const [what] = await Promise.all([
      within('fault', campaign.fault(pipeline, next, run)),
      within('publish', pipeline.publish(EVENTS, campaign.loadMs)),
    ])
    done = what
    const snapshot = await pipeline.settled()
    await pipeline.verify(snapshot)
    record(`ok ${compare(snapshot, uninterrupted)}`)
  } catch (error) {
    record(`FAILED ${(error as Error).message.slice(0, 300).replaceAll('\n', ' ')}`)
    throw error
  }
}

/** Expects a model within the tolerance of another. @returns how far it is, in standard errors */
function compare(snapshot: Snapshot, uninterrupted: Snapshot): string {
  const [mine, theirs] = [segments(snapshot), segments(uninterrupted)]
  const variance = 1 / snapshot.effectiveSampleSize + 1 / uninterrupted.effectiveSampleSize
  let [mean, weight] = [0, 0]
  for (const segment of mine) {
    const distance = ({ at }: Segment) => Math.max(...at.map((x, j) => Math.abs(x - segment.at[j]!)))
    const nearest = theirs.reduce((a, b) => (distance(b) < distance(a) ? b : a))
    const share = nearest.weight
    // A segment's events have a standard deviation of 1.
    mean = Math.max(mean, distance(nearest) / Math.sqrt(variance / share))
    weight = Math.max(weight, Math.abs(share - segment.weight) / Math.sqrt(variance * share * (1 - share)))
  }
  expect(mean).toBeLessThan(TOLERANCE)
  expect(weight).toBeLessThan(TOLERANCE)
  return `means within ${mean.toFixed(2)}, weights within ${weight.toFixed(2)} standard errors`
}

interface Segment {
  readonly at: readonly number[]
  readonly weight: number
}

/** In the events' units. */
function segments({ parameters }: Snapshot): Segment[] {
  const { means, weights, transformScale, transformCentre } = parameters as Record<string, Float64Array>
  const columns = transformScale!.length
  return Array.from(weights!, (weight, k) => ({
    at: Array.from(transformScale!, (scale, j) => means![k * columns + j]! * scale + transformCentre![j]!),
    weight,
  }))
}

/** A line for the record: where EDDY_FAULT_LOG says, if it does. */
export function note(line: string): void {
  const file = process.env.EDDY_FAULT_LOG
  if (file) appendFileSync(file, `${new Date().toISOString()} ${line}\n`)
}
