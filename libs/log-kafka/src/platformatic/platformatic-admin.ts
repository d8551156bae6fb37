import type { PartitionOffsets, TopicOptions } from '@eddy/log'
import {
  Admin,
  type BaseOptions,
  ConfigResourceTypes,
  FindCoordinatorKeyTypes,
  findErrorBy,
  IncrementalAlterConfigOperationTypes,
} from '@platformatic/kafka'
import type { KafkaAdmin, TopicDescription } from '../driver.ts'
import { descriptionOf, known, topicConfiguration } from '../topic-configuration.ts'
import { enter } from './connect.ts'

const EARLIEST = -2n
const LATEST = -1n
const READ_UNCOMMITTED = 0

export class PlatformaticAdmin implements KafkaAdmin {
  readonly #admin: Admin
  readonly #brokers: readonly string[]
  readonly #options: BaseOptions
  #entered: Promise<void> | undefined

  constructor(brokers: readonly string[], options: BaseOptions) {
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
    const metadata = await this.#admin.metadata({ topics: [topic], forceUpdate: true })
    const partitions = metadata.topics.get(topic)?.partitions ?? []
    if (partitions.length === 0 || partitions.some(({ leader }) => leader < 0)) return undefined
    const [description] = await this.#admin.describeConfigs({
      resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic }],
    })
    return descriptionOf(partitions.length, description!.configs)
  }

  async create(topic: string, options: TopicOptions): Promise<void> {
    await this.#admin
      .createTopics({
        topics: [topic],
        partitions: options.partitions,
        replicas: -1,
        configs: Object.entries(topicConfiguration(options)).map(([name, value]) => ({ name, value })),
      })
      .catch(error => {
        // Another process was faster.
        if (!findErrorBy(error, 'apiId', 'TOPIC_ALREADY_EXISTS')) throw error
      })
    await known(() => this.describe(topic))
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

  async offsets(topic: string): Promise<PartitionOffsets[]> {
    const metadata = await this.#admin.metadata({ topics: [topic] })
    const count = metadata.topics.get(topic)!.partitions.length
    const ask = async (timestamp: bigint): Promise<Map<number, number>> => {
      const partitions = Array.from({ length: count }, (_, partitionIndex) => ({ partitionIndex, timestamp }))
      const [listed] = await this.#admin.listOffsets({
        topics: [{ name: topic, partitions }],
        isolationLevel: READ_UNCOMMITTED,
      })
      return new Map(listed!.partitions.map(({ partitionIndex, offset }) => [partitionIndex, Number(offset)]))
    }
    const [starts, ends] = await Promise.all([ask(EARLIEST), ask(LATEST)])
    return Array.from({ length: count }, (_, partition) => ({
      partition,
      start: starts.get(partition) ?? 0,
      end: ends.get(partition) ?? 0,
    }))
  }

  async committed(group: string, topic: string): Promise<Map<number, number>> {
    const [found] = await this.#admin.listConsumerGroupOffsets({ groups: [group] })
    const partitions = found?.topics.find(({ name }) => name === topic)?.partitions ?? []
    const offsets = partitions.map(
      ({ partitionIndex, committedOffset }) => [partitionIndex, Number(committedOffset)] as const,
    )
    return new Map(offsets.filter(([, offset]) => offset >= 0))
  }

  async stablePosition(group: string, topic: string, partition: number): Promise<number | undefined> {
    // The client asks again while the offset is unstable.
    const [found] = await this.#admin.listConsumerGroupOffsets({
      groups: [{ groupId: group, topics: [{ name: topic, partitionIndexes: [partition] }] }],
      requireStable: true,
    })
    const offset = found?.topics.find(({ name }) => name === topic)?.partitions[0]?.committedOffset ?? -1n
    return offset >= 0n ? Number(offset) : undefined
  }

  async coordinatorOf(group: string): Promise<number> {
    const [found] = await this.#admin.findCoordinator({ keyType: FindCoordinatorKeyTypes.GROUP, keys: [group] })
    return found!.nodeId
  }

  close(): Promise<void> {
    return this.#admin.close()
  }
}
