import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EventLog, OutgoingRecord } from '@eddy/log'
import { openPlatformaticLog } from '@eddy/log-kafka/platformatic'
import { featureVectorCodec, type Snapshot } from '@eddy/messages'
import {
  createSpecification,
  type ModelJson,
  type ModelSpecification,
  modelToJson,
  random,
  warmUp,
} from '@eddy/mixture'
import { snapshotRecords } from '@eddy/model'
import { KafkajsDriver } from '../../../libs/log-kafka/src/kafkajs/kafkajs-driver.ts'
import { type Shape, sampleEvents, trueParameters } from '../kernels/shapes.ts'

/** Events of one mixture, and what a short warm-up learns from them. */
export interface Source {
  readonly specification: ModelSpecification
  readonly learned: Pick<Snapshot, 'parameters' | 'statistics'>
  /** feature vectors as they stand in the features topic, by turns for each partition */
  readonly records: readonly OutgoingRecord[]
}

/** Distinct events; a run goes round them. */
const DISTINCT = 16_384
const LEARNED = 8_192
const PUBLICATION = 3_000

export function createSource(shape: Shape, partitions: number): Source {
  const { columns, components, covariance } = shape
  const { block } = sampleEvents(shape, trueParameters(shape, 1), DISTINCT, 2)
  const names = Array.from({ length: columns }, (_, i) => `x${i}`)
  const specification = createSpecification({ features: names, components, covariance, warmUp: { restarts: 1 } })
  const sample = { rows: LEARNED, columns, values: block.values.subarray(0, LEARNED * columns) }
  const { parameters, learned } = warmUp(specification, sample, undefined, random(1))
  const { statistics } = learned
  const records = Array.from({ length: DISTINCT - (DISTINCT % partitions) }, (_, n) => {
    const customer = `customer-${n}`
    const features = block.values.subarray(n * columns, (n + 1) * columns)
    const value = featureVectorCodec.encode({ customer, time: 1_700_000_000_000 + n, weight: 1, features })
    return { key: Buffer.from(customer), value: Uint8Array.from(value), partition: n % partitions }
  })
  return { specification, learned: { parameters, statistics }, records }
}

/** The model with scikit-learn's names. */
export function scikitLearnModel({ specification, learned }: Source): ModelJson {
  const { parameters } = learned
  return modelToJson({ specification, parameters, lowerBound: Number.NaN, converged: true, iterations: 0 })
}

/** Topics of one run: features may be shared, the rest is its own. */
export interface Run {
  /** also the model's name, so that its consumer groups are its own */
  readonly name: string
  readonly features: string
  readonly labels: string
  readonly statistics: string
  /** group that scores */
  readonly scoring: string
  readonly configuration: string
}

/** Runs of this process, so that each has topics of its own. */
let runs = 0

export class Bench {
  readonly brokers: readonly string[]
  readonly log: EventLog
  readonly partitions: number
  readonly #driver: KafkajsDriver
  readonly #folder: string

  constructor(brokers: readonly string[], folder: string, partitions: number) {
    this.brokers = brokers
    this.#folder = folder
    this.partitions = partitions
    this.log = openPlatformaticLog({ brokers, clientId: 'bench' })
    // Does not wait until the transactions that are open are over.
    this.#driver = new KafkajsDriver({ brokers, clientId: 'bench' })
  }

  async createFeatures(topic: string): Promise<void> {
    await this.log.ensureTopics({ [topic]: { partitions: this.partitions, cleanup: 'delete' } })
  }

  /** Fills the topic with `count` events. */
  async fill(topic: string, { records }: Source, count: number): Promise<void> {
    for (let done = 0; done < count; done += PUBLICATION) {
      const size = Math.min(PUBLICATION, count - done)
      const next = Array.from({ length: size }, (_, i) => records[(done + i) % records.length]!)
      await publish(this.log, topic, next)
    }
  }

  /** A model of its own that reads `features`, with its first snapshot published. */
  async createRun(
    features: string,
    { specification, learned }: Source,
    options: { readonly client: string; readonly model?: Readonly<Record<string, number | string>> },
  ): Promise<Run> {
    const name = `r${process.pid}-${runs++}`
    const topic = (role: string): string => `${name}.${role}`
    const stream = { partitions: this.partitions, cleanup: 'delete' } as const
    const single = { partitions: 1, cleanup: 'delete' } as const
    await this.log.ensureTopics({
      [topic('labels')]: stream,
      [topic('statistics')]: single,
      [topic('snapshots')]: { partitions: 1, cleanup: 'compact' },
      [topic('lineage')]: single,
    })
    const snapshot: Snapshot = {
      model: name,
      version: 1n,
      step: 1n,
      createdAt: 0,
      specification: JSON.stringify(specification),
      ...learned,
      segments: Array.from({ length: specification.components }, (_, k) => ({ id: `s${k + 1}`, since: 1n })),
      ledger: [],
      statisticsOffset: 0,
      prequentialLogLikelihood: Number.NaN,
      effectiveSampleSize: 1,
      weight: 1,
      provisional: false,
      epoch: 1n,
      segmentsBorn: specification.components,
      expectedLogLikelihood: 0,
      surprise: 0,
      judgedWeight: 1,
    }
    await this.log.publish([{ topic: topic('snapshots'), records: snapshotRecords(snapshot, 900_000) }])
    const configuration = join(this.#folder, `${name}.json`)
    const roles = ['statistics', 'snapshots', 'lineage', 'labels']
    writeFileSync(
      configuration,
      JSON.stringify({
        model: { name, components: specification.components, covariance: specification.covariance, ...options.model },
        features: specification.features.map(feature => ({ name: feature.name })),
        log: { kind: 'kafka', partitions: this.partitions },
        kafka: { client: options.client, brokers: this.brokers },
        topics: { features, ...Object.fromEntries(roles.map(role => [role, topic(role)])) },
        logging: { level: 'error' },
      }),
    )
    return {
      name,
      features,
      labels: topic('labels'),
      statistics: topic('statistics'),
      scoring: `${name}.scoring`,
      configuration,
    }
  }

  /** Sum of a group's committed positions: how many events it has done, as there are no gaps in the features. */
  async settled(topic: string, group: string): Promise<number> {
    let sum = 0
    const { admin } = this.#driver
    const partitions = [...Array(await admin.partitions(topic)).keys()]
    for (const offset of (await admin.committed(group, topic, partitions)).values()) sum += offset
    return sum
  }

  async close(): Promise<void> {
    await this.#driver.close()
    await this.log.close()
  }
}

/** Publishes records as one request without a transaction, as most producers would. */
export async function publish(log: EventLog, topic: string, records: readonly OutgoingRecord[]): Promise<void> {
  const byPartition = Map.groupBy(records, ({ partition }) => partition)
  await Promise.all([...byPartition.values()].map(part => log.publish([{ topic, records: part }])))
}
