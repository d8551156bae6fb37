import { LogError, type PartitionOffsets, type TopicOptions } from '@eddy/log'
import type { Admin } from 'kafkajs'
import type { KafkaAdmin, TopicDescription } from '../driver.ts'
import { descriptionOf, known, topicConfiguration } from '../topic-configuration.ts'
import { ConfigResourceTypes } from './kafkajs.ts'
import { PATIENCE_MS, RETRY_MS } from './kafkajs-patience.ts'
import { UNSTABLE } from './kafkajs-stable-offsets.ts'

const DYNAMIC_TOPIC_CONFIG = 1

const UNSTABLE_RETRY_MS = 10

export class KafkajsAdmin implements KafkaAdmin {
  readonly #create: () => Admin
  #admin: Promise<Admin> | undefined
  #closed = false

  constructor(create: () => Admin) {
    this.#create = create
  }

  /**
   * Asks the cluster, again if need be: the library gives up at errors that pass (a leader that has moved), and a client
   * that first asked for a topic too early never learns of its partitions. A new client starts with new metadata.
   */
  async #ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    for (const deadline = performance.now() + PATIENCE_MS; ; ) {
      this.#admin ??= this.#connect()
      const admin = this.#admin
      try {
        return await question(await admin)
      } catch (error) {
        const passes = error instanceof TypeError || (error as { retriable?: boolean }).retriable === true
        if (!passes || this.#closed || performance.now() > deadline) throw error
        if (this.#admin === admin) this.#admin = undefined
        await admin.then(client => client.disconnect()).catch(() => {})
        await new Promise(resolve => setTimeout(resolve, RETRY_MS))
      }
    }
  }

  async #connect(): Promise<Admin> {
    const admin = this.#create()
    await admin.connect()
    return admin
  }

  describe(topic: string): Promise<TopicDescription | undefined> {
    return this.#ask(async admin => {
      if (!(await admin.listTopics()).includes(topic)) return undefined
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
      const { partitions } = topics[0]!
      if (partitions.some(({ leader }) => leader < 0)) return undefined
      return descriptionOf(partitions.length, await configuration(admin, topic))
    })
  }

  async create(topic: string, options: TopicOptions): Promise<void> {
    const configEntries = Object.entries(topicConfiguration(options)).map(([name, value]) => ({ name, value }))
    const description = { topic, numPartitions: options.partitions, replicationFactor: -1, configEntries }
    // The library's own waiting fails when a broker does not know the topic yet.
    await this.#ask(admin => admin.createTopics({ waitForLeaders: false, topics: [description] }))
    await known(() => this.describe(topic))
  }

  async alterRetention(topic: string, { retentionMs, retentionBytes }: TopicOptions): Promise<void> {
    await this.#ask(async admin => {
      // This request replaces all of a topic's own settings: those that stay are named again.
      const own = (await configuration(admin, topic)).filter(entry => entry.own)
      const settings = new Map(own.map(({ name, value }) => [name, value]))
      if (retentionMs !== undefined) settings.set('retention.ms', `${retentionMs}`)
      if (retentionBytes !== undefined) settings.set('retention.bytes', `${retentionBytes}`)
      const configEntries = [...settings].map(([name, value]) => ({ name, value }))
      const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }]
      return admin.alterConfigs({ validateOnly: false, resources })
    })
  }

  async offsets(topic: string): Promise<PartitionOffsets[]> {
    const offsets = await this.#ask(admin => admin.fetchTopicOffsets(topic))
    return offsets
      .map(({ partition, low, high }) => ({ partition, start: Number(low), end: Number(high) }))
      .sort((a, b) => a.partition - b.partition)
  }

  async committed(group: string, topic: string): Promise<Map<number, number>> {
    const offsets = await this.#offsetsOf(group, topic)
    return new Map(offsets.filter(({ offset }) => offset >= 0).map(({ partition, offset }) => [partition, offset]))
  }

  async stablePosition(group: string, topic: string, partition: number): Promise<number | undefined> {
    for (const deadline = performance.now() + PATIENCE_MS; ; ) {
      const found = (await this.#offsetsOf(group, topic)).find(offset => offset.partition === partition)
      if (!found?.unstable) return found && found.offset >= 0 ? found.offset : undefined
      if (performance.now() > deadline)
        throw new LogError(
          `position of ${group} in ${topic}/${partition}: expected no unfinished transaction, got one for ${PATIENCE_MS / 1000} s. ` +
            'The broker is slow to end it, or another program commits for this group.',
        )
      await new Promise(resolve => setTimeout(resolve, UNSTABLE_RETRY_MS))
    }
  }

  async #offsetsOf(group: string, topic: string) {
    const [found] = await this.#ask(admin => admin.fetchOffsets({ groupId: group, topics: [topic] }))
    return (found?.partitions ?? []).map(({ partition, offset, metadata }) => ({
      partition,
      offset: Number(offset),
      unstable: metadata === UNSTABLE,
    }))
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#admin?.then(admin => admin.disconnect()).catch(() => {})
  }
}

async function configuration(admin: Admin, topic: string) {
  const { resources } = await admin.describeConfigs({
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
    includeSynonyms: false,
  })
  return resources[0]!.configEntries.map(({ configName, configValue, configSource }) => ({
    name: configName,
    value: configValue,
    own: Number(configSource) === DYNAMIC_TOPIC_CONFIG,
  }))
}
