import {
  type ConsumeOptions,
  type Delivery,
  type EnsureOptions,
  type EventLog,
  LogError,
  type PartitionOffsets,
  type Publication,
  type PublishOptions,
  type TopicOptions,
  type TopicOutcome,
} from '@eddy/log'
import { checkTopicOptions, outcomeOf } from '@eddy/log/adapter'
import { Observable } from 'rxjs'
import type { Cursor } from './cursor.ts'
import type { KafkaDriver } from './driver.ts'
import { explain } from './explain.ts'
import { KafkaConsumer } from './kafka-consumer.ts'
import { offsetsOf, partitionsOf } from './offsets-of.ts'
import { type KnownTopic, Publisher } from './publisher.ts'
import { topicConfiguration } from './topic-configuration.ts'

/** How long a committed position may take to show, milliseconds: the markers of a transaction are written after its commit. */
const VISIBLE_MS = 5_000

/** The log on Kafka, over any client library. */
export class KafkaLog implements EventLog {
  readonly capabilities = {
    pipelined: false,
    ahead: false,
    erasure: undefined,
    memory: undefined,
    room: undefined,
    identity: undefined,
    upkeep: undefined,
  }
  readonly #driver: KafkaDriver
  readonly #publisher: Publisher
  readonly #topics = new Map<string, Promise<KnownTopic>>()
  readonly #consumers = new Set<KafkaConsumer>()
  readonly #leaving = new Set<Promise<void>>()
  /** The newest tenure of each partition of each group, in this process. */
  readonly #tenures = new Map<string, Cursor>()
  /** Positions this process has committed. */
  readonly #settled = new Map<string, number>()
  #closed: Promise<void> | undefined

  constructor(driver: KafkaDriver, maxRecordBytes: number) {
    this.#driver = driver
    this.#publisher = new Publisher(driver, maxRecordBytes, name => this.#topic(name))
  }

  async ensureTopics(
    topics: Readonly<Record<string, TopicOptions>>,
    { alter = false, dryRun = false, replicas, settings = {} }: EnsureOptions = {},
  ): Promise<readonly TopicOutcome[]> {
    this.#check()
    const { admin } = this.#driver
    const outcomes: TopicOutcome[] = []
    for (const [name, options] of Object.entries(topics)) {
      checkTopicOptions(name, options)
      const existing = await admin.describe(name).catch(raise(name))
      checkTopicOptions(name, options, existing)
      outcomes.push(outcomeOf(name, options, existing, alter))
    }
    const copies = outcomes.some(({ done }) => done === 'created') ? (replicas ?? (await this.#replicas())) : undefined
    const told = outcomes.map(outcome => ({
      ...outcome,
      ...(outcome.done === 'created' && copies !== undefined && { replicas: copies }),
    }))
    if (dryRun) return told
    for (const { topic, done } of told)
      if (done === 'created')
        await admin
          .create(
            topic,
            { ...topicConfiguration(topics[topic]!, copies), ...settings[topic] },
            topics[topic]!.partitions,
            copies,
          )
          .catch(raise(topic))
      else if (done === 'altered') await admin.alterRetention(topic, topics[topic]!).catch(raise(topic))
    return told
  }

  /** As many copies as survive the loss of a broker while another one is away; with fewer brokers what they make by themselves. */
  async #replicas(): Promise<number | undefined> {
    return (await this.#driver.admin.brokers().catch(raise('brokers'))) >= 3 ? 3 : undefined
  }

  consume(topic: string, options: ConsumeOptions = {}): Observable<Delivery> {
    return new Observable(subscriber => {
      if (this.#closed) {
        subscriber.error(closedError())
        return
      }
      const { group } = options
      const key = (partition: number) => JSON.stringify([group, topic, partition])
      const consumer = new KafkaConsumer(
        topic,
        options,
        this.#driver.admin,
        {
          take: async cursor => {
            const before = this.#tenures.get(key(cursor.partition))
            if (before) before.superseded = true
            this.#tenures.set(key(cursor.partition), cursor)
            await this.#publisher.take(group!, topic, cursor.partition)
          },
          position: partition => this.#driver.admin.stablePosition(group!, topic, partition),
        },
        subscriber,
      )
      this.#consumers.add(consumer)
      subscriber.add(() => {
        this.#consumers.delete(consumer)
        const left = consumer.abandon().finally(() => this.#leaving.delete(left))
        this.#leaving.add(left)
      })
      this.#topic(topic).then(
        () => consumer.start(this.#driver),
        error => consumer.fail(error),
      )
    })
  }

  async publish(publications: readonly Publication[], options: PublishOptions = {}): Promise<readonly number[][]> {
    this.#check()
    const offsets = await this.#publisher.publish(publications, options)
    for (const { topic, partition, nextOffset } of options.settles?.deliveries ?? [])
      this.#settled.set(JSON.stringify([options.settles!.group, topic, partition]), nextOffset)
    return offsets
  }

  async offsets(topic: string): Promise<readonly PartitionOffsets[]> {
    this.#check()
    await this.#topic(topic)
    return offsetsOf(this.#driver.admin, topic).catch(raise(topic))
  }

  async positions(topic: string, group: string): Promise<ReadonlyMap<number, number>> {
    this.#check()
    await this.#topic(topic)
    const { admin } = this.#driver
    const partitions = await partitionsOf(admin, topic).catch(raise(topic))
    const settled = partitions.map(p => this.#settled.get(JSON.stringify([group, topic, p])))
    for (const deadline = performance.now() + VISIBLE_MS; ; ) {
      const positions = await admin.committed(group, topic, partitions).catch(raise(topic))
      const late = settled.some((offset, p) => offset !== undefined && (positions.get(p) ?? -1) < offset)
      if (!late || performance.now() > deadline) return positions
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    const consumers = [...this.#consumers]
    const left = consumers.map(consumer => consumer.close())
    await this.#publisher.close()
    await Promise.all([...left, ...this.#leaving])
    await this.#driver.close()
  }

  #check(): void {
    if (this.#closed) throw closedError()
  }

  #topic(name: string): Promise<KnownTopic> {
    const known = this.#topics.get(name) ?? this.#describe(name)
    this.#topics.set(name, known)
    known.catch(() => this.#topics.delete(name))
    return known
  }

  async #describe(name: string): Promise<KnownTopic> {
    const description = await this.#driver.admin.describe(name).catch(raise(name))
    if (description) return description
    throw new LogError(
      `topic: expected one that exists, got "${name}". Create it with ensureTopics or \`eddy topics create\`.`,
      { code: 'TOPIC_MISSING' },
    )
  }
}

function closedError(): LogError {
  return new LogError('log: expected an open log, got a closed one. Open it again.')
}

function raise(what: string): (error: unknown) => never {
  return error => {
    throw explain(error, what)
  }
}
