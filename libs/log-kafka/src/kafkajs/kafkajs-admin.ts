import { LogError, type PartitionOffsets, type TopicOptions } from '@eddy/log'
import type { Admin } from 'kafkajs'
import { complete, IncompleteAnswer } from '../complete-answer.ts'
import type { KafkaAdmin, TopicDescription } from '../driver.ts'
import { descriptionOf, known } from '../topic-configuration.ts'
import type { AdminClient } from './admin-client.ts'
import { ConfigResourceTypes } from './kafkajs.ts'
import { PATIENCE_MS, RETRY_MS } from './kafkajs-patience.ts'
import { UNSTABLE } from './kafkajs-stable-offsets.ts'

const DYNAMIC_TOPIC_CONFIG = 1

const UNSTABLE_RETRY_MS = 10

export class KafkajsAdmin implements KafkaAdmin {
  readonly #create: () => AdminClient
  readonly #patienceMs: number
  #client: Promise<AdminClient> | undefined
  #closed = false

  /** @param patienceMs how long an error that passes may last, milliseconds */
  constructor(create: () => AdminClient, patienceMs = PATIENCE_MS) {
    this.#create = create
    this.#patienceMs = patienceMs
  }

  /**
   * Asks the cluster, again if need be: the library gives up at errors that pass (a leader that has moved), answers for fewer
   * partitions than were asked for where its metadata are another topic's, and a client that first asked for a topic too early never
   * learns of its partitions. A new client starts with new metadata.
   */
  async #ask<T>(question: (client: AdminClient) => Promise<T>): Promise<T> {
    for (const deadline = performance.now() + this.#patienceMs; ; ) {
      this.#client ??= this.#connect()
      const client = this.#client
      try {
        return await question(await client)
      } catch (error) {
        const passes = error instanceof TypeError || (error as { retriable?: boolean }).retriable === true
        if (!passes || this.#closed || performance.now() > deadline) throw error
        if (this.#client === client) this.#client = undefined
        await client.then(({ admin }) => admin.disconnect()).catch(() => {})
        await new Promise(resolve => setTimeout(resolve, RETRY_MS))
      }
    }
  }

  async #connect(): Promise<AdminClient> {
    const client = this.#create()
    await client.admin.connect()
    return client
  }

  describe(topic: string): Promise<TopicDescription | undefined> {
    return this.#ask(async client => {
      const { admin } = client
      if (!(await admin.listTopics()).includes(topic)) return undefined
      const partitions = await partitionsOf(client, topic)
      if (partitions.some(({ leader }) => leader < 0)) return undefined
      return descriptionOf(partitions.length, await configuration(admin, topic))
    })
  }

  async create(
    topic: string,
    settings: Readonly<Record<string, string>>,
    partitions: number,
    replicas = -1,
  ): Promise<void> {
    const configEntries = Object.entries(settings).map(([name, value]) => ({
      name,
      value,
    }))
    const description = { topic, numPartitions: partitions, replicationFactor: replicas, configEntries }
    // The library's own waiting fails when a broker does not know the topic yet.
    await this.#ask(({ admin }) => admin.createTopics({ waitForLeaders: false, topics: [description] }))
    await known(() => this.describe(topic))
  }

  async brokers(): Promise<number> {
    return (await this.#ask(({ admin }) => admin.describeCluster())).brokers.length
  }

  async alterRetention(topic: string, { retentionMs, retentionBytes }: TopicOptions): Promise<void> {
    await this.#ask(async ({ admin }) => {
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

  async partitions(topic: string): Promise<number> {
    return (await this.#ask(client => partitionsOf(client, topic))).length
  }

  offsets(topic: string, partitions: readonly number[]): Promise<PartitionOffsets[]> {
    return this.#ask(async client => {
      const ask = async (which: 'start' | 'end') =>
        complete(`${which} of ${topic}`, partitions, await client.offsets(topic, partitions, which))
      const [starts, ends] = await Promise.all([ask('start'), ask('end')])
      return partitions.map((partition, i) => ({
        partition,
        start: Number(starts[i]!.offset),
        end: Number(ends[i]!.offset),
      }))
    })
  }

  async committed(group: string, topic: string, partitions: readonly number[]): Promise<Map<number, number>> {
    const offsets = await this.#committed(group, topic, partitions)
    return new Map(offsets.filter(({ offset }) => offset >= 0).map(({ partition, offset }) => [partition, offset]))
  }

  async stablePosition(group: string, topic: string, partition: number): Promise<number | undefined> {
    for (const deadline = performance.now() + PATIENCE_MS; ; ) {
      const [found] = await this.#committed(group, topic, [partition])
      const { offset, unstable } = found!
      if (!unstable) return offset >= 0 ? offset : undefined
      if (performance.now() > deadline)
        throw new LogError(
          `position of ${group} in ${topic}/${partition}: expected no unfinished transaction, got one for ${PATIENCE_MS / 1000} s. ` +
            'The broker is slow to end it, or another program commits for this group.',
        )
      await new Promise(resolve => setTimeout(resolve, UNSTABLE_RETRY_MS))
    }
  }

  async #committed(group: string, topic: string, partitions: readonly number[]) {
    const offsets = await this.#ask(async client =>
      complete(`position of ${group} in ${topic}`, partitions, await client.committed(group, topic, partitions)),
    )
    return offsets.map(({ partition, offset, metadata }) => ({
      partition,
      offset: Number(offset),
      unstable: metadata === UNSTABLE,
    }))
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#client?.then(({ admin }) => admin.disconnect()).catch(() => {})
  }
}

/** Metadata of the partitions of a topic that is there. */
async function partitionsOf(client: AdminClient, topic: string) {
  const partitions = await client.metadataOf(topic)
  if (partitions.length > 0) return partitions
  throw new IncompleteAnswer(
    `partitions of ${topic}: expected one or more, got none. The client library's metadata are another topic's, or the topic is gone.`,
  )
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
