import { setTimeout } from 'node:timers/promises'
import type { PartitionOffsets, TopicOptions } from '@eddy/log'
import {
  Admin,
  type BaseOptions,
  ConfigResourceTypes,
  FindCoordinatorKeyTypes,
  findErrorBy,
  IncrementalAlterConfigOperationTypes,
} from '@platformatic/kafka'
import { complete, IncompleteAnswer } from '../complete-answer.ts'
import type { KafkaAdmin, TopicDescription } from '../driver.ts'
import { descriptionOf, known } from '../topic-configuration.ts'
import { enter } from './connect.ts'

const PATIENCE_MS = 15_000
const RETRY_MS = 100
const EARLIEST = -2n
const LATEST = -1n
const READ_UNCOMMITTED = 0

export class PlatformaticAdmin implements KafkaAdmin {
  readonly #admin: Admin
  readonly #brokers: readonly string[]
  readonly #options: BaseOptions
  readonly #patienceMs: number
  #entered: Promise<void> | undefined

  /** @param patienceMs how long an answer may lack what was asked for, milliseconds */
  constructor(brokers: readonly string[], options: BaseOptions, patienceMs = PATIENCE_MS) {
    this.#patienceMs = patienceMs
    this.#brokers = brokers
    this.#options = options
    this.#admin = new Admin(options)
  }

  async #enter(): Promise<void> {
    this.#entered ??= enter(this.#brokers, this.#options)
    await this.#entered
  }

  async describe(topic: string): Promise<TopicDescription | undefined> {
    await this.#enter()
    if (!(await this.#admin.listTopics()).includes(topic)) return undefined
    const partitions = await this.#partitionsOf(topic)
    if (partitions.some(({ leader }) => leader < 0)) return undefined
    const [description] = await this.#admin.describeConfigs({
      resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic }],
    })
    return descriptionOf(partitions.length, description!.configs)
  }

  async create(
    topic: string,
    settings: Readonly<Record<string, string>>,
    partitions: number,
    replicas = -1,
  ): Promise<void> {
    await this.#admin
      .createTopics({
        topics: [topic],
        partitions,
        replicas,
        configs: Object.entries(settings).map(([name, value]) => ({ name, value })),
      })
      .catch(error => {
        // Another process was faster.
        if (!findErrorBy(error, 'apiId', 'TOPIC_ALREADY_EXISTS')) throw error
      })
    await known(() => this.describe(topic))
  }

  async brokers(): Promise<number> {
    return (await this.#admin.metadata({ forceUpdate: true })).brokers.size
  }

  async alterRetention(topic: string, { retentionMs, retentionBytes }: TopicOptions): Promise<void> {
    const settings = { 'retention.ms': retentionMs, 'retention.bytes': retentionBytes }
    const configs = Object.entries(settings)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => ({
        name,
        value: `${value}`,
        configOperation: IncrementalAlterConfigOperationTypes.SET,
      }))
    await this.#admin.incrementalAlterConfigs({
      resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs }],
    })
  }

  async partitions(topic: string): Promise<number> {
    return (await this.#partitionsOf(topic)).length
  }

  /** Metadata of the partitions of a topic that is there. */
  #partitionsOf(topic: string) {
    return this.#ask(async () => {
      const { topics } = await this.#admin.metadata({ topics: [topic], forceUpdate: true })
      const partitions = topics.get(topic)?.partitions ?? []
      if (partitions.length > 0) return partitions
      throw new IncompleteAnswer(`partitions of ${topic}: expected one or more, got none. The topic may be gone.`)
    })
  }

  async offsets(topic: string, partitions: readonly number[]): Promise<PartitionOffsets[]> {
    const ask = (what: string, timestamp: bigint): Promise<number[]> =>
      this.#ask(async () => {
        const listed = await this.#admin.listOffsets({
          topics: [{ name: topic, partitions: partitions.map(partitionIndex => ({ partitionIndex, timestamp })) }],
          isolationLevel: READ_UNCOMMITTED,
        })
        const found = listed.find(({ name }) => name === topic)?.partitions ?? []
        const answer = new Map(found.map(({ partitionIndex, offset }) => [partitionIndex, Number(offset)]))
        return complete(`${what} of ${topic}`, partitions, answer)
      })
    const [starts, ends] = await Promise.all([ask('start', EARLIEST), ask('end', LATEST)])
    return partitions.map((partition, i) => ({ partition, start: starts[i]!, end: ends[i]! }))
  }

  async committed(group: string, topic: string, partitions: readonly number[]): Promise<Map<number, number>> {
    const offsets = await this.#committed(group, topic, partitions, false)
    return new Map(partitions.map((partition, i) => [partition, offsets[i]!] as const).filter(([, o]) => o >= 0))
  }

  async stablePosition(group: string, topic: string, partition: number): Promise<number | undefined> {
    // The client asks again while the offset is unstable.
    const [offset] = await this.#committed(group, topic, [partition], true)
    return offset! >= 0 ? offset : undefined
  }

  /** Committed offsets of the partitions, in their order; −1 where the broker says that there is none. */
  #committed(group: string, topic: string, partitions: readonly number[], requireStable: boolean): Promise<number[]> {
    return this.#ask(async () => {
      const found = await this.#admin.listConsumerGroupOffsets({
        groups: [{ groupId: group, topics: [{ name: topic, partitionIndexes: [...partitions] }] }],
        requireStable,
      })
      const topics = found.find(({ groupId }) => groupId === group)?.topics ?? []
      const answered = topics.find(({ name }) => name === topic)?.partitions ?? []
      const answer = new Map(
        answered.map(({ partitionIndex, committedOffset }) => [partitionIndex, Number(committedOffset)]),
      )
      return complete(`position of ${group} in ${topic}`, partitions, answer)
    })
  }

  /** Asks again while an answer lacks what was asked for. */
  async #ask<T>(question: () => Promise<T>): Promise<T> {
    for (const deadline = performance.now() + this.#patienceMs; ; ) {
      try {
        return await question()
      } catch (error) {
        if (!(error instanceof IncompleteAnswer) || performance.now() > deadline) throw error
        await setTimeout(RETRY_MS)
      }
    }
  }

  async coordinatorOf(group: string): Promise<number> {
    const [found] = await this.#admin.findCoordinator({ keyType: FindCoordinatorKeyTypes.GROUP, keys: [group] })
    return found!.nodeId
  }

  close(): Promise<void> {
    return this.#admin.close()
  }
}
