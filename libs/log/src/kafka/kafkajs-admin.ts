import { type Admin, ConfigResourceTypes } from 'kafkajs'
import type { PartitionOffsets, TopicOptions } from '../event-log.ts'
import type { KafkaAdmin, TopicDescription } from './driver.ts'
import { descriptionOf, topicConfiguration } from './topic-configuration.ts'

const DYNAMIC_TOPIC_CONFIG = 1

export class KafkajsAdmin implements KafkaAdmin {
  readonly #admin: Admin
  #connected: Promise<void> | undefined

  constructor(admin: Admin) {
    this.#admin = admin
  }

  #connect(): Promise<void> {
    this.#connected ??= this.#admin.connect()
    return this.#connected
  }

  async describe(topic: string): Promise<TopicDescription | undefined> {
    await this.#connect()
    if (!(await this.#admin.listTopics()).includes(topic)) return undefined
    const { topics } = await this.#admin.fetchTopicMetadata({ topics: [topic] })
    return descriptionOf(topics[0]!.partitions.length, await this.#configuration(topic))
  }

  async #configuration(topic: string) {
    const { resources } = await this.#admin.describeConfigs({
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
      includeSynonyms: false,
    })
    return resources[0]!.configEntries.map(({ configName, configValue, configSource }) => ({
      name: configName,
      value: configValue,
      own: Number(configSource) === DYNAMIC_TOPIC_CONFIG,
    }))
  }

  async create(topic: string, options: TopicOptions): Promise<void> {
    await this.#connect()
    await this.#admin.createTopics({
      waitForLeaders: true,
      topics: [
        {
          topic,
          numPartitions: options.partitions,
          replicationFactor: -1,
          configEntries: Object.entries(topicConfiguration(options)).map(([name, value]) => ({ name, value })),
        },
      ],
    })
  }

  async alterRetention(topic: string, { retentionMs, retentionBytes }: TopicOptions): Promise<void> {
    await this.#connect()
    // This request replaces all of a topic's own settings: those that stay are named again.
    const own = (await this.#configuration(topic)).filter(entry => entry.own)
    const settings = new Map(own.map(({ name, value }) => [name, value]))
    if (retentionMs !== undefined) settings.set('retention.ms', `${retentionMs}`)
    if (retentionBytes !== undefined) settings.set('retention.bytes', `${retentionBytes}`)
    const configEntries = [...settings].map(([name, value]) => ({ name, value }))
    await this.#admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }],
    })
  }

  async offsets(topic: string): Promise<PartitionOffsets[]> {
    await this.#connect()
    const offsets = await this.#admin.fetchTopicOffsets(topic)
    return offsets
      .map(({ partition, low, high }) => ({ partition, start: Number(low), end: Number(high) }))
      .sort((a, b) => a.partition - b.partition)
  }

  async committed(group: string, topic: string): Promise<Map<number, number>> {
    await this.#connect()
    const [found] = await this.#admin.fetchOffsets({ groupId: group, topics: [topic] })
    const known = (found?.partitions ?? []).map(({ partition, offset }) => [partition, Number(offset)] as const)
    return new Map(known.filter(([, offset]) => offset >= 0))
  }

  async close(): Promise<void> {
    if (this.#connected) await this.#admin.disconnect()
  }
}
