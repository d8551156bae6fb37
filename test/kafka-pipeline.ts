import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { EventLog, OutgoingRecord } from '@eddy/log'
import { openPlatformaticLog } from '@eddy/log-kafka/platformatic'
import { featureVectorCodec, hashOffset, labelCodec, type Snapshot } from '@eddy/messages'
import { followSnapshots } from '@eddy/model'
import { expect } from 'vitest'
import { EddyProcess, eddy } from './eddy-process.ts'
import { kcatConsume } from './fixtures/kcat.ts'
import { syntheticEvents } from './synthetic-events.ts'

export type Service = 'ingest' | 'em-worker' | 'em-updater' | 'scoring'

export interface PipelineOptions {
  /** for the services */
  readonly brokers: readonly string[]
  /** for the test itself, e.g. past a proxy; `brokers` if absent */
  readonly direct?: readonly string[]
  /** for configuration and compiled code */
  readonly folder: string
  readonly client?: 'kafkajs' | 'platformatic'
  readonly partitions?: number
  readonly warmUpEvents?: number
  readonly maxWaitMs?: number
  /** of another pipeline: learn from its features instead of from events of our own */
  readonly features?: KafkaPipeline
}

/** Members of a group are given up after this. */
export const SESSION_MS = 2_500

/** How long it may take until all is learned and labelled; nobody may be stuck meanwhile. */
const PATIENCE_MS = 150_000
/** Events are appended in so many portions, spread over the time. */
const PORTIONS = 10

/** What a worker says that another one was quicker than: it ends by itself, to be started again, and may be about to when it is stopped. */
const OVERTAKEN = /ledger of partition \d+: expected .*another worker's range/
/** What a member says that has lost its partition while it had work there: it ends by itself too. */
const FENCED = /settles: expected a partition that this member holds/
/** Exit code of one that the signal met when it no longer listened: it had come to its end by itself. Fenced while it stops in order, it ends with 1. */
const WAS_ENDING = 143

let pipelines = 0

/** A model of its own on a broker: its topics, its service processes, and what must hold in the end. */
export class KafkaPipeline {
  readonly #options: PipelineOptions
  readonly #prefix = `p${process.pid}-${pipelines++}`
  readonly #config: string
  readonly #running = new Map<EddyProcess, Service>()
  readonly #log: EventLog
  #producer: EventLog | undefined
  readonly #watching = new AbortController()
  #newest: Snapshot | undefined
  #labels = 0
  #published = 0

  constructor(options: PipelineOptions) {
    this.#options = options
    const { brokers, direct = brokers, folder, client = 'kafkajs', partitions = 3, features } = options
    const { warmUpEvents = 600, maxWaitMs = 200 } = options
    this.#log = openPlatformaticLog({ brokers: direct })
    this.#config = join(folder, `${this.#prefix}.yaml`)
    const roles = ['events', 'statistics', 'snapshots', 'lineage', 'labels', 'deadLetters']
    const topics = [
      ...roles.map(role => `${role}: ${this.topic(role)}`),
      `features: ${(features ?? this).topic('features')}`,
    ]
    writeFileSync(
      this.#config,
      `model: { name: ${this.#prefix}, components: 3, batchSize: 256, maxWaitMs: ${maxWaitMs}, warmUp: { events: ${warmUpEvents} } }
features: [{ name: x }, { name: y }]
log: { kind: kafka, partitions: ${partitions} }
kafka: { client: ${client}, sessionTimeoutMs: ${SESSION_MS}, brokers: [${brokers.map(broker => `'${broker}'`).join(', ')}] }
topics: { ${topics.join(', ')} }
`,
    )
  }

  topic(role: string): string {
    return `${this.#prefix}.${role}`
  }

  get #direct(): readonly string[] {
    return this.#options.direct ?? this.#options.brokers
  }

  async create(): Promise<void> {
    expect(await eddy('topics', 'create', '--config', this.#config)).toMatchObject({ code: 0 })
    this.#watch()
  }

  /** Appends events, the same for the same numbers, to all partitions in turn. */
  async publish(count: number, durationMs: number): Promise<void> {
    const { partitions = 3 } = this.#options
    const first = this.#published
    const lines = syntheticEvents(count, 1 + first, first)
      .trim()
      .split('\n')
    const records = lines.map((line, n) => ({
      key: null,
      value: Buffer.from(line),
      partition: (first + n) % partitions,
    }))
    for (let portion = 0; portion < PORTIONS; portion++) {
      const [from, to] = [portion, portion + 1].map(p => Math.round((p * count) / PORTIONS)) as [number, number]
      await this.#append(records.slice(from, to))
      await pause(durationMs / PORTIONS)
    }
    // Without transactions a topic has no offsets but its records'.
    const ends = await this.#log.offsets(this.topic('events'))
    this.#published = ends.reduce((sum, { end }) => sum + end, 0)
  }

  /** One partition after the other, so that no transaction is left open where a broker fails. */
  async #append(records: readonly (OutgoingRecord & { readonly partition: number })[]): Promise<void> {
    for (const part of Map.groupBy(records, ({ partition }) => partition).values()) {
      this.#producer ??= openPlatformaticLog({ brokers: this.#direct })
      const producer = this.#producer
      try {
        await producer.publish([{ topic: this.topic('events'), records: part }])
      } catch {
        // Stored or not: what is in the topic is the input.
        this.#producer = undefined
        await producer.close().catch(() => {})
      }
    }
  }

  async start(service: Service, environment: Readonly<Record<string, string>> = {}): Promise<EddyProcess> {
    const running = this.launch(service, environment)
    await running.said(/is up/)
    return running
  }

  /** Starts a process without waiting until it is up. */
  launch(service: Service, environment: Readonly<Record<string, string>> = {}): EddyProcess {
    const running = new EddyProcess([service, '--config', this.#config, '--port', '0'], {
      EDDY_LOGGING_LEVEL: 'error',
      NODE_COMPILE_CACHE: join(this.#options.folder, 'compiled'),
      ...environment,
    })
    this.#running.set(running, service)
    return running
  }

  running(service?: Service): EddyProcess[] {
    return [...this.#running]
      .filter(([running, name]) => running.running && (service === undefined || name === service))
      .map(([running]) => running)
  }

  /** No longer ours: it is not started again. */
  dismiss(process: EddyProcess): void {
    this.#running.delete(process)
  }

  /** Starts again whatever has ended, as a supervisor does. @throws Error when one ended because it was stuck */
  supervise(): void {
    for (const [running, service] of [...this.#running]) {
      if (running.running) continue
      const stuck = /expected progress, got none.*/.exec(running.stderr)
      if (stuck) throw new Error(`${service}: ${stuck[0]}`)
      this.#running.delete(running)
      this.launch(service)
    }
  }

  get #wanted(): number {
    const { features } = this.#options
    return features === undefined ? this.#published : features.#wanted
  }

  /** Whether everything published is learned and labelled. */
  get complete(): boolean {
    return learned(this.#newest) >= this.#wanted && this.#labels >= this.#wanted
  }

  /** Waits until everything published is learned and labelled, supervising meanwhile. */
  async settled(): Promise<Snapshot> {
    const stderr = new Map<EddyProcess, Service>()
    for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; ) {
      for (const [running, service] of this.#running) stderr.set(running, service)
      this.supervise()
      if (this.complete) return this.#newest as Snapshot
      await pause(50)
    }
    const said = [...stderr].map(
      async ([running, service]) => `${service}: ${running.stderr.slice(-500)}${await standing(running)}`,
    )
    throw new Error(
      `${this.#prefix}: expected ${this.#wanted} events learned and labelled, got ${learned(this.#newest)} and ${this.#labels}; ${(await Promise.all(said)).join('\n')}`,
    )
  }

  /** Features = events, ledger = features, labels = features: each one to one, all read by an independent client. */
  async verify(snapshot: Snapshot): Promise<void> {
    const [events, features, labels] = await Promise.all([
      this.#options.features ? [] : this.#read('events'),
      (this.#options.features ?? this).#read('features'),
      this.#read('labels'),
    ])
    if (!this.#options.features) {
      expect(events.length).toBe(this.#published)
      const customers = events.map(({ partition, value }) => `${partition} ${JSON.parse(value.toString()).customer}`)
      expect(
        features.map(({ partition, value }) => `${partition} ${featureVectorCodec.decode(value).customer}`),
      ).toEqual(customers)
    }
    for (const { partition, events: count, offsetsHash } of snapshot.ledger) {
      const offsets = features.filter(record => record.partition === partition).map(({ offset }) => offset)
      expect(Number(count)).toBe(offsets.length)
      expect(offsetsHash).toBe(
        offsets.reduce((sum, offset) => BigInt.asUintN(64, sum + hashOffset(partition, offset)), 0n),
      )
    }
    expect(learned(snapshot)).toBe(features.length)
    const sources = labels.map(({ partition, value }) => {
      const { sourcePartition, sourceOffset } = labelCodec.decode(value)
      return `${partition} ${sourcePartition}/${sourceOffset}`
    })
    expect(sources).toEqual(features.map(({ partition, offset }) => `${partition} ${partition}/${offset}`))
  }

  #read(role: string) {
    return kcatConsume(this.#direct, this.topic(role))
  }

  /** SHA-256 of the newest snapshot's parameters, statistics and ledger. */
  async identity(): Promise<string> {
    const { stdout } = await eddy('inspect', '--json', '--config', this.#config)
    return JSON.parse(stdout).identity
  }

  /** Follows snapshots and labels, from the start again if a fault reaches us too. */
  #watch(): void {
    const { signal } = this.#watching
    const snapshots = () =>
      followSnapshots({ log: this.#log, topic: this.topic('snapshots') }, signal).subscribe({
        next: snapshot => {
          this.#newest = snapshot
        },
        error: () => signal.aborted || setTimeout(snapshots, 100),
      })
    const labels = () => {
      let seen = 0
      return this.#log.consume(this.topic('labels'), { from: 'earliest', signal }).subscribe({
        next: delivery => {
          seen += delivery.records.length
          this.#labels = seen
          delivery.ack()
        },
        error: () => signal.aborted || setTimeout(labels, 100),
      })
    }
    snapshots()
    labels()
  }

  /** Ends everything in order, once it is up. @throws Error when one does not end well */
  async stop(): Promise<void> {
    await Promise.all(this.running().map(running => running.said(/is up/).catch(() => {})))
    const ended = [...this.#running].filter(([running]) => running.running)
    const codes = await Promise.all(ended.map(([running]) => running.stop('SIGTERM')))
    await this.kill()
    const isExpected = (code: unknown, stderr: string) =>
      code === 0 || OVERTAKEN.test(stderr) || (code === WAS_ENDING && FENCED.test(stderr))
    const failed = ended.flatMap(([{ stderr }, service], i) =>
      isExpected(codes[i], stderr) ? [] : [`${service} ended with ${codes[i]}: ${stderr.slice(-1_000)}`],
    )
    if (failed.length > 0) throw new Error(failed.join('\n'))
  }

  async kill(): Promise<void> {
    await Promise.all(this.running().map(running => running.kill()))
    this.#running.clear()
    this.#watching.abort()
    await Promise.all([this.#log, this.#producer].map(log => log?.close()))
  }
}

/** Which partitions a process holds, how far it lags there, and its model: nothing of one that has ended. */
async function standing(running: EddyProcess): Promise<string> {
  if (!running.running) return ''
  try {
    const answer = await fetch(await running.url())
    const series = (await answer.text()).split('\n')
    return series.filter(line => /^eddy_(consumer_lag_records|model_snapshot_version)/.test(line)).join(', ')
  } catch (error) {
    return `no metrics: ${(error as Error).message}`
  }
}

const learned = (snapshot: Snapshot | undefined): number =>
  snapshot?.ledger.reduce((sum, { events }) => sum + Number(events), 0) ?? 0
