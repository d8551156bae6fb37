import { randomUUID } from 'node:crypto'
import { LogError } from '@eddy/log'
import { balance } from '@eddy/log/adapter'
import { type BaseOptions, Consumer, FetchIsolationLevels, findErrorBy } from '@platformatic/kafka'
import type { KafkaMember, MemberEvents } from '../driver.ts'
import { ANONYMOUS } from '../options.ts'
import { committedRecords, type FetchedPartition } from './committed-records.ts'

/** Longest a fetch waits for records, and longest a partition waits for its first fetch, milliseconds. */
const MAX_WAIT_MS = 50
const PARTITION_BYTES = 1 << 20
const RETRY_MS = 100
/**
 * After a fetch that brought few records a member of a group rests, milliseconds: records that come one by one are fetched
 * together, instead of each by a request of its own.
 */
const REST_MS = 2
const FEW_RECORDS = 256

/** A member of a group that fetches by itself: the library gives the membership and single fetches, not its stream. */
export class PlatformaticMember implements KafkaMember {
  readonly #consumer: Consumer
  readonly #topic: string
  readonly #grouped: boolean
  readonly #events: MemberEvents
  /** Next offset of each partition that was started. */
  readonly #positions = new Map<number, number>()
  readonly #paused = new Set<number>()
  /** Nodes whose fetch loop runs. */
  readonly #loops = new Map<number, Promise<void>>()
  #joined: Promise<unknown> = Promise.resolve()
  #left: Promise<void> | undefined

  constructor(
    options: BaseOptions,
    topic: string,
    group: string | undefined,
    sessionTimeout: number,
    events: MemberEvents,
  ) {
    this.#topic = topic
    this.#grouped = group !== undefined
    this.#events = events
    this.#consumer = new Consumer({
      ...options,
      groupId: group ?? `${ANONYMOUS}${randomUUID()}`,
      sessionTimeout,
      rebalanceTimeout: Math.max(60_000, sessionTimeout),
      heartbeatInterval: Math.min(500, sessionTimeout / 10),
      autocommit: false,
      protocols: [{ name: 'EddySticky', version: 0 }],
      // Asked before each join: work in progress may go on for a third of the session.
      protocolsMetadata: async () => {
        await Promise.race([events.drain(), new Promise(resolve => setTimeout(resolve, sessionTimeout / 3).unref())])
        return Buffer.from(JSON.stringify([...this.#positions.keys()]))
      },
      partitionAssigner: (_current, members, _topics, metadata) => {
        const owners = new Map<number, string>()
        const partitions = metadata.topics.get(topic)!.partitionsCount
        for (const [memberId, { metadata: said }] of members)
          for (const partition of said?.length ? (JSON.parse(said.toString()) as number[]) : [])
            if (partition < partitions) owners.set(partition, memberId)
        const ids = [...members.keys()].sort()
        const target = balance(partitions, ids, owners)
        return ids.map(memberId => {
          const mine = [...target].filter(([, owner]) => owner === memberId).map(([partition]) => partition)
          return { memberId, assignments: new Map([[topic, { topic, partitions: mine.sort((a, b) => a - b) }]]) }
        })
      },
    })
  }

  join(): void {
    this.#consumer.topics.track(this.#topic)
    this.#consumer.on('consumer:group:join', ({ memberId, assignments }) => {
      const partitions = assignments?.find(({ topic }) => topic === this.#topic)?.partitions ?? []
      this.#assigned(partitions, memberId)
    })
    // A rejoin that failed, and a broker that has not answered heartbeats: the group does without us.
    this.#consumer.on('error', error => this.#failed(error))
    this.#consumer.on('consumer:heartbeat:stalled', ({ lastError }) =>
      this.#failed(
        lastError ??
          new LogError('consumer: expected heartbeats to be answered, got none. End the process and start again.'),
      ),
    )
    this.#joined = this.#grouped ? this.#consumer.joinGroup({}) : this.#takeAll()
    this.#joined.catch(error => this.#failed(error))
  }

  async #takeAll(): Promise<void> {
    const { topics } = await this.#consumer.metadata({ topics: [this.#topic] })
    this.#assigned([...topics.get(this.#topic)!.partitions.keys()], 'alone')
  }

  #assigned(partitions: readonly number[], memberId: string): void {
    if (this.#left) return
    // Nothing is fetched before `start`.
    for (const partition of [...this.#positions.keys()])
      if (!partitions.includes(partition)) this.#positions.delete(partition)
    for (const partition of partitions) this.#paused.add(partition)
    this.#events.assigned(partitions, memberId)
  }

  #failed(error: unknown): void {
    if (!this.#left) this.#events.failed(error)
  }

  start(partition: number, offset: number): void {
    this.#positions.set(partition, offset)
    this.resume(partition)
  }

  pause(partition: number): void {
    this.#paused.add(partition)
  }

  resume(partition: number): void {
    this.#paused.delete(partition)
    this.#run().catch(error => this.#failed(error))
  }

  async #run(): Promise<void> {
    this.#cover((await this.#metadata()).partitions)
  }

  async #metadata() {
    const { topics } = await this.#consumer.metadata({ topics: [this.#topic] })
    return topics.get(this.#topic)!
  }

  /**
   * Sees to it that whoever leads a partition to be fetched has a loop, and nobody (node −1) too: leaders move whenever a
   * broker fails, and a partition whose new leader has no loop would never be fetched again.
   */
  #cover(partitions: readonly { readonly leader: number }[]): void {
    for (const [partition, { leader }] of partitions.entries()) {
      if (!this.#active(partition) || this.#loops.has(leader)) continue
      this.#loops.set(
        leader,
        this.#fetchFrom(leader).catch(error => this.#failed(error)),
      )
    }
  }

  #active(partition: number): boolean {
    return !this.#left && this.#positions.has(partition) && !this.#paused.has(partition)
  }

  /** Fetches from a node while it leads a partition that is wanted; where nobody leads, waits for an election. */
  async #fetchFrom(node: number): Promise<void> {
    for (;;) {
      const { id, partitions } = await this.#metadata()
      this.#cover(partitions)
      const wanted = [...partitions.entries()].filter(([p, { leader }]) => leader === node && this.#active(p))
      if (wanted.length === 0) {
        this.#loops.delete(node)
        return
      }
      if (node < 0) {
        await this.#askAnew()
        continue
      }
      const asked = new Map(wanted.map(([partition]) => [partition, this.#positions.get(partition)!]))
      const request = wanted.map(([partition, { leaderEpoch }]) => ({
        partition,
        currentLeaderEpoch: leaderEpoch,
        fetchOffset: BigInt(asked.get(partition)!),
        lastFetchedEpoch: -1,
        partitionMaxBytes: PARTITION_BYTES,
      }))
      try {
        const { responses } = await this.#consumer.fetch({
          node,
          topics: [{ topicId: id, partitions: request }],
          isolationLevel: FetchIsolationLevels.READ_COMMITTED,
          maxWaitTime: MAX_WAIT_MS,
          minBytes: 1,
        })
        let most = 0
        for (const response of responses.flatMap(topic => topic.partitions))
          most = Math.max(most, this.#take(response, asked))
        if (this.#grouped && most > 0 && most < FEW_RECORDS) await new Promise(resolve => setTimeout(resolve, REST_MS))
      } catch (error) {
        if (this.#left) return
        if (findErrorBy(error as Error, 'apiId', 'OFFSET_OUT_OF_RANGE'))
          throw new LogError(
            `offset out of range in ${this.#topic}: retention dropped what was to be read next. Start from a newer snapshot, from "earliest", or raise the retention.`,
            { cause: error },
          )
        if (findErrorBy(error as Error, 'canRetry', false)) throw error
        await this.#askAnew()
      }
    }
  }

  async #askAnew(): Promise<void> {
    this.#consumer.clearMetadata()
    await new Promise(resolve => setTimeout(resolve, RETRY_MS))
  }

  /** @returns how many records it brought */
  #take(response: FetchedPartition, asked: ReadonlyMap<number, number>): number {
    const { partitionIndex: partition, highWatermark } = response
    const offset = asked.get(partition)
    // Started elsewhere or given up while the fetch was on its way.
    if (offset === undefined || this.#positions.get(partition) !== offset || !this.#active(partition)) return 0
    const { records, next } = committedRecords(response, offset)
    if (next === offset) return 0
    this.#positions.set(partition, next)
    this.#events.fetched(partition, offset, records, next, Number(highWatermark))
    return records.length
  }

  leave(): Promise<void> {
    this.#left ??= (async () => {
      await this.#joined.catch(() => {})
      await Promise.all(this.#loops.values())
      if (this.#grouped) await Promise.resolve(this.#consumer.leaveGroup(true)).catch(() => {})
      await this.#consumer.close(true).catch(() => {})
    })()
    return this.#left
  }
}
