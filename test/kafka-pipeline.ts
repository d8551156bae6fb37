import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openKafkaLog } from '@eddy/log/kafka'
import { hashOffset, labelCodec, type Snapshot } from '@eddy/messages'
import { newestSnapshot } from '@eddy/stepwise-em'
import { expect } from 'vitest'
import { EddyProcess, eddy } from './eddy-process.ts'
import { kcatConsume } from './fixtures/kcat.ts'
import { syntheticEvents } from './synthetic-events.ts'

export type Service = 'ingest' | 'em-worker' | 'em-updater' | 'scoring'

let pipelines = 0

/** A model of its own on a broker: its topics, its service processes, and what must hold in the end. */
export class KafkaPipeline {
  readonly #brokers: readonly string[]
  readonly #config: string
  readonly #input: string
  readonly #prefix = `p${process.pid}-${pipelines++}`
  readonly #running = new Map<EddyProcess, Service>()
  readonly events: number
  readonly partitions: number

  constructor(
    brokers: readonly string[],
    folder: string,
    options: { readonly events?: number; readonly partitions?: number; readonly client?: string } = {},
  ) {
    const { events = 12_000, partitions = 3, client = 'kafkajs' } = options
    this.#brokers = brokers
    this.events = events
    this.partitions = partitions
    this.#config = join(folder, `${this.#prefix}.yaml`)
    this.#input = join(folder, `events-${events}.ndjson`)
    writeFileSync(this.#input, syntheticEvents(events))
    const roles = ['events', 'features', 'statistics', 'snapshots', 'lineage', 'labels', 'deadLetters']
    const topics = roles.map(role => `${role}: ${this.topic(role)}`).join(', ')
    writeFileSync(
      this.#config,
      `model: { name: ${this.#prefix}, components: 3, batchSize: 256, maxWaitMs: 500, warmUp: { events: 1000 } }
features: [{ name: x }, { name: y }]
log: { kind: kafka, partitions: ${partitions} }
kafka: { client: ${client}, sessionTimeoutMs: 4000, brokers: [${brokers.map(broker => `'${broker}'`).join(', ')}] }
topics: { ${topics} }
`,
    )
  }

  topic(role: string): string {
    return `${this.#prefix}.${role}`
  }

  async create(): Promise<void> {
    expect(await eddy('topics', 'create', '--config', this.#config)).toMatchObject({ code: 0 })
  }

  async produce(): Promise<void> {
    expect(await eddy('produce', '--topic', 'events', '--input', this.#input, '--config', this.#config)).toMatchObject({
      code: 0,
    })
  }

  async start(service: Service): Promise<EddyProcess> {
    const running = new EddyProcess([service, '--config', this.#config, '--port', '0'], { EDDY_LOGGING_LEVEL: 'error' })
    this.#running.set(running, service)
    await running.said(/is up/)
    return running
  }

  running(service?: Service): EddyProcess[] {
    return [...this.#running]
      .filter(
        ([{ child }, name]) =>
          child.exitCode === null && child.signalCode === null && (service === undefined || name === service),
      )
      .map(([running]) => running)
  }

  /** Starts again whatever has ended, as a supervisor does. */
  async supervise(): Promise<void> {
    for (const [running, service] of [...this.#running]) {
      if (running.child.exitCode === null && running.child.signalCode === null) continue
      this.#running.delete(running)
      await this.start(service)
    }
  }

  /** Waits until every event is learned and labelled, supervising meanwhile. */
  async drained(limitMs = 120_000): Promise<Snapshot> {
    const log = openKafkaLog({ brokers: this.#brokers })
    try {
      for (const deadline = performance.now() + limitMs; performance.now() < deadline; ) {
        await this.supervise()
        const snapshot = await newestSnapshot({ log, topic: this.topic('snapshots') })
        const learned = snapshot?.ledger.reduce((sum, { events }) => sum + Number(events), 0) ?? 0
        const labels = learned === this.events ? (await this.labels()).length : 0
        if (snapshot !== undefined && labels >= this.events) return snapshot
        await new Promise(resolve => setTimeout(resolve, 250))
      }
      const errors = [...this.#running.keys()].map(({ stderr }) => stderr.slice(-2000)).join('\n')
      throw new Error(`expected ${this.events} events learned and labelled, got stuck; ${errors}`)
    } finally {
      await log.close()
    }
  }

  async labels(): Promise<{ readonly partition: number; readonly offset: number }[]> {
    const records = await kcatConsume(this.#brokers, this.topic('labels'))
    return records.map(({ value }) => {
      const { sourcePartition, sourceOffset } = labelCodec.decode(value)
      return { partition: sourcePartition, offset: sourceOffset }
    })
  }

  /** Ledger = input, and labels = input one to one, all read by an independent client. */
  async verify(snapshot: Snapshot): Promise<void> {
    const features = await kcatConsume(this.#brokers, this.topic('features'))
    expect(features.length).toBe(this.events)
    for (const { partition, events, offsetsHash } of snapshot.ledger) {
      const offsets = features.filter(record => record.partition === partition).map(({ offset }) => offset)
      expect(Number(events)).toBe(offsets.length)
      expect(offsetsHash).toBe(
        offsets.reduce((sum, offset) => BigInt.asUintN(64, sum + hashOffset(partition, offset)), 0n),
      )
    }
    const key = ({ partition, offset }: { partition: number; offset: number }): string => `${partition}/${offset}`
    const labels = (await this.labels()).map(key)
    expect(new Set(labels).size).toBe(labels.length)
    expect(labels.sort()).toEqual(features.map(key).sort())
    // Three segments of a third each, within what stepwise EM tolerates of another order.
    for (const weight of snapshot.parameters.weights as Float64Array) expect(weight).toBeCloseTo(1 / 3, 1)
  }

  async stop(): Promise<void> {
    await Promise.all(this.running().map(running => running.stop('SIGTERM')))
    this.#running.clear()
  }

  async kill(): Promise<void> {
    await Promise.all(this.running().map(running => running.kill()))
    this.#running.clear()
  }
}
