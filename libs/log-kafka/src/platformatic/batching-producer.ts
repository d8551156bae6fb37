import { LogError, type OutgoingRecord } from '@eddy/log'
import {
  type API,
  type Callback,
  type Connection,
  compressionsAlgorithms,
  kGetApi,
  kGetConnection,
  kOptions,
  kPerformWithRetry,
  type MessageRecord,
  ProduceAcks,
  Producer,
  type ProducerOptions,
  produceV9,
  produceV10,
  produceV11,
  type txnOffsetCommitV4,
  Writer,
} from '@platformatic/kafka'
import type { Commit, ProduceBatch } from '../driver.ts'
import { encodeRecordBatch } from '../record-batch.ts'

/** What the library hands to a produce request for each message, in the order they were sent. */
interface ReadyMessage {
  readonly topic: string
  readonly partition: number
  readonly key: Buffer | null | undefined
  readonly value: Buffer | null
  readonly headers: ReadonlyMap<Buffer, Buffer>
  readonly timestamp: bigint | undefined
}

interface ProduceOptions {
  readonly compression?: keyof typeof compressionsAlgorithms
  readonly producerId?: bigint
  readonly producerEpoch?: number
  readonly sequences?: { getWithDefault(partition: string, otherwise: number): number }
  readonly transactionalId?: string
}

const PRODUCE = 0
/** The versions of a produce request that are written alike; older brokers than Kafka 2.6 do not know them. */
const VERSIONS = new Map([produceV9, produceV10, produceV11].map(produce => [produce.api.version, produce]))
/** Sequence numbers are 31 bits. */
const SEQUENCES = 2 ** 31
/** So that the requests of a transaction that do not need one another overlap; the library would have one at a time. */
const IN_FLIGHT = 2

/**
 * The library's producer with record batches that are written in one pass: its own makes several buffers and objects of each
 * record. In a transaction it sends whole batches, and commits a position by one request.
 */
export class BatchingProducer extends Producer<Buffer, Buffer, Buffer, Buffer> {
  readonly #findCoordinator: (group: string) => Promise<number>
  /** node by group; forgotten at an error */
  readonly #coordinators = new Map<string, Promise<number>>()
  /** next sequence number of each partition in transactions, by `topic/partition`, of this producer id and epoch */
  readonly #sequences = new Map<string, number>()
  #era = ''

  /** @param findCoordinator asks the cluster for the node that keeps a group's positions */
  constructor(
    options: ProducerOptions<Buffer, Buffer, Buffer, Buffer>,
    findCoordinator: (group: string) => Promise<number>,
  ) {
    // An idempotent producer sets this to 1. Its record batches still go one after another: `send` is awaited.
    super(
      Object.defineProperty({ ...options }, 'maxInflights', { enumerable: true, get: () => IN_FLIGHT, set: () => {} }),
    )
    this.#findCoordinator = findCoordinator
  }

  override [kGetApi]<A extends unknown[], R>(name: string, callback: Callback<API<A, R>>): void {
    super[kGetApi]<A, R>(name, (error, api) => {
      if (error || name !== 'Produce') callback(error, api)
      else if (VERSIONS.has(api!.version)) callback(null, produceMessages(api!.version) as unknown as API<A, R>)
      else
        callback(
          new LogError(
            `produce: expected a broker of Kafka 2.6 or newer, got one that knows version ${api!.version} only`,
          ),
        )
    })
  }

  /** Sends batches, each for another partition, in the open transaction. @returns the first offset of each */
  async sendBatches(transaction: OpenTransaction, batches: readonly ProduceBatch[]): Promise<number[]> {
    const topics = [...new Set(batches.map(({ topic }) => topic))]
    const targets = batches.map(({ topic, partition }) => ({ topic, partition }) as MessageRecord)
    await transaction.addPartitions(await this.metadata({ topics }), targets)
    const encoded = await Promise.all(batches.map(batch => this.#encode(batch)))
    return new Promise((resolve, reject) => {
      const attempt = (retry: Callback<number[]>): void => {
        this.#sendOnce(transaction.id, topics, encoded).then(
          offsets => retry(null, offsets),
          error => {
            this.clearMetadata()
            retry(error)
          },
        )
      }
      this[kPerformWithRetry]<number[]>('sendBatches', attempt, (error, offsets) =>
        error ? reject(error) : resolve(offsets as number[]),
      )
    })
  }

  async #encode({ topic, partition, records }: ProduceBatch): Promise<EncodedBatch> {
    const [producerId, producerEpoch] = [this.producerId!, this.producerEpoch!]
    const era = `${producerId}/${producerEpoch}`
    if (era !== this.#era) this.#sequences.clear()
    this.#era = era
    const key = `${topic}/${partition}`
    const firstSequence = this.#sequences.get(key) ?? 0
    this.#sequences.set(key, (firstSequence + records.length) % SEQUENCES)
    const header = { producerId, producerEpoch, firstSequence, transactional: true, now: Date.now() }
    const compression = compressionOf(this[kOptions].compression)
    return { topic, partition, bytes: await encodeRecordBatch(records, { ...header, ...compression }) }
  }

  async #sendOnce(transactionalId: string, topics: string[], batches: readonly EncodedBatch[]): Promise<number[]> {
    const metadata = await this.metadata({ topics })
    const leaderOf = ({ topic, partition }: EncodedBatch): number =>
      metadata.topics.get(topic)!.partitions[partition]!.leader
    const { version } = await asked<{ version: number }>(done => super[kGetApi]('Produce', done as never))
    const offsets = new Map<string, number>()
    const sends = [...Map.groupBy(batches, leaderOf)].map(async ([leader, ofLeader]) => {
      const connection = await asked<Connection>(done => this[kGetConnection](metadata.brokers.get(leader)!, done))
      const timeout = this[kOptions].timeout!
      const create = (): Writer => writeRequest(transactionalId, ProduceAcks.ALL, timeout, ofLeader)
      const response = await asked<ProduceResponse>(done => sendRequest(connection, version, create, done))
      for (const { name, partitionResponses } of response.responses)
        for (const { index, baseOffset } of partitionResponses) offsets.set(`${name}/${index}`, Number(baseOffset))
    })
    // Nothing may still be on its way when the transaction is given up.
    for (const sent of await Promise.allSettled(sends)) if (sent.status === 'rejected') throw sent.reason
    return batches.map(({ topic, partition }) => offsets.get(`${topic}/${partition}`)!)
  }

  /** Commits a position in the open transaction, to which its group has been added. */
  commitPosition(transactionalId: string, commit: Commit): Promise<void> {
    return new Promise((resolve, reject) => {
      const attempt = (retry: Callback<void>): void => {
        this.#commitOnce(transactionalId, commit).then(
          () => retry(null),
          error => {
            this.#coordinators.delete(commit.group)
            this.clearMetadata()
            retry(error)
          },
        )
      }
      this[kPerformWithRetry]<void>('commitPosition', attempt, error => (error ? reject(error) : resolve()))
    })
  }

  async #commitOnce(transactionalId: string, { group, topic, partition, offset }: Commit): Promise<void> {
    const coordinator = this.#coordinators.get(group) ?? this.#findCoordinator(group)
    this.#coordinators.set(group, coordinator)
    const node = await coordinator
    const { brokers } = await this.metadata({ topics: [topic] })
    const connection = await asked<Connection>(done => this[kGetConnection](brokers.get(node)!, done))
    const api = await asked<TxnOffsetCommit>(done => this[kGetApi]('TxnOffsetCommit', done))
    const partitions = [{ partitionIndex: partition, committedOffset: BigInt(offset), committedLeaderEpoch: -1 }]
    const producer = [this.producerId!, this.producerEpoch!] as const
    await asked(done =>
      api(connection, transactionalId, group, ...producer, -1, '', null, [{ name: topic, partitions }], done),
    )
  }
}

/** A transaction that has begun. */
export type OpenTransaction = Awaited<ReturnType<BatchingProducer['beginTransaction']>>
type TxnOffsetCommit = typeof txnOffsetCommitV4.api

const asked = <T>(ask: (done: Callback<T>) => void): Promise<T> =>
  new Promise((resolve, reject) => ask((error, answer) => (error ? reject(error) : resolve(answer as T))))

type ProduceResponse = ReturnType<typeof produceV11.parseResponse>

interface EncodedBatch {
  readonly topic: string
  readonly partition: number
  readonly bytes: Buffer
}

function sendRequest(
  connection: Connection,
  version: number,
  create: () => Writer | Promise<Writer>,
  callback: Callback<ProduceResponse>,
): void {
  const { parseResponse } = VERSIONS.get(version)!
  // The connection awaits what is created; its types do not say so.
  connection.send(PRODUCE, version, create as () => Writer, parseResponse, true, true, callback)
}

/** Produce: transactional_id acks timeout [topic [partition records]], in the compact encoding. */
function writeRequest(
  transactionalId: string | undefined,
  acks: number,
  timeout: number,
  batches: readonly EncodedBatch[],
): Writer {
  return Writer.create()
    .appendString(transactionalId)
    .appendInt16(acks)
    .appendInt32(timeout)
    .appendArray([...Map.groupBy(batches, ({ topic }) => topic)], (writer, [topic, ofTopic]) => {
      writer.appendString(topic).appendArray(ofTopic, (writer, { partition, bytes }) => {
        writer
          .appendInt32(partition)
          .appendUnsignedVarInt(bytes.length + 1)
          .append(bytes)
      })
    })
    .appendTaggedFields()
}

/** The library's produce request for its messages, which it sends outside of transactions. */
const produceMessages =
  (version: number) =>
  (
    connection: Connection,
    acks: number,
    timeout: number,
    messages: readonly ReadyMessage[],
    options: ProduceOptions,
    callback: Callback<ProduceResponse>,
  ): void => {
    const create = async (): Promise<Writer> => {
      const parts = Map.groupBy(messages, ({ topic, partition }) => `${topic}:${partition}`)
      const batches = await Promise.all([...parts].map(([name, part]) => encodeMessages(part, name, options)))
      return writeRequest(options.transactionalId, acks, timeout, batches)
    }
    sendRequest(connection, version, create, callback)
  }

async function encodeMessages(
  messages: readonly ReadyMessage[],
  name: string,
  { compression, producerId = -1n, producerEpoch = 0, sequences, transactionalId }: ProduceOptions,
): Promise<EncodedBatch> {
  const { topic, partition } = messages[0]!
  const bytes = await encodeRecordBatch(messages.map(recordOf), {
    producerId,
    producerEpoch,
    firstSequence: sequences?.getWithDefault(name, 0) ?? 0,
    transactional: transactionalId !== undefined,
    now: Date.now(),
    ...compressionOf(compression),
  })
  return { topic, partition, bytes }
}

function compressionOf(name: keyof typeof compressionsAlgorithms = 'none') {
  const { bitmask, compressSync } = compressionsAlgorithms[name]
  return bitmask === 0 ? {} : { compression: { attribute: bitmask, compress: compressSync } }
}

function recordOf({ key, value, headers, timestamp }: ReadyMessage): OutgoingRecord {
  return {
    key: key ?? null,
    value,
    ...(headers.size > 0 && {
      headers: Object.fromEntries([...headers].map(([name, held]) => [name.toString(), held])),
    }),
    ...(timestamp !== undefined && { timestamp: Number(timestamp) }),
  }
}
