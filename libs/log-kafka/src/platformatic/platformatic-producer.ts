import type { OutgoingRecord } from '@eddy/log'
import { failpoint } from '@eddy/log'
import { type BaseOptions, findErrorBy } from '@platformatic/kafka'
import { both } from '../both.ts'
import { type Commit, FencedError, type KafkaProducer, type ProduceBatch, RefusedError } from '../driver.ts'
import type { KafkaOptions } from '../options.ts'
import { rounds } from '../rounds.ts'
import { BatchingProducer, type OpenTransaction } from './batching-producer.ts'

const FENCED = ['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH']
const REFUSED = [
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'TOPIC_AUTHORIZATION_FAILED',
]

/** By default the library claims to be producer 0 already, and is fenced off. */
const NEW = { producerId: -1n, producerEpoch: -1 }

/** Sends batches of different partitions. @returns the first offset of each */
type Send = (batches: readonly ProduceBatch[]) => Promise<number[]>

export class PlatformaticProducer implements KafkaProducer {
  readonly #producer: BatchingProducer
  readonly #transactional: boolean

  constructor(
    options: BaseOptions,
    transactionalId: string | undefined,
    compression: NonNullable<KafkaOptions['compression']>,
    transactionTimeoutMs: number,
    findCoordinator: (group: string) => Promise<number>,
  ) {
    this.#transactional = transactionalId !== undefined
    this.#producer = new BatchingProducer(
      {
        ...options,
        idempotent: true,
        compression,
        // Of a request, and of a transaction.
        timeout: transactionTimeoutMs,
        ...(transactionalId !== undefined && { transactionalId }),
      },
      findCoordinator,
    )
  }

  async initialise(): Promise<void> {
    if (this.#transactional) await (await this.#producer.beginTransaction(NEW)).cancel()
  }

  async send(batches: readonly ProduceBatch[], commits: readonly Commit[]): Promise<number[]> {
    if (!this.#transactional)
      return this.#sendAll(batches, round => this.#sendPlain(round)).catch(error => {
        throw classify(error)
      })
    const transaction = await this.#producer.beginTransaction(NEW).catch(error => {
      throw classify(error)
    })
    try {
      // Side by side: each first adds its partitions to the transaction, and neither needs the other.
      const [bases] = await both(
        this.#sendRecords(batches, transaction),
        this.#commitAll(commits, transaction),
        classify,
      )
      failpoint('position-sent')
      await transaction.commit()
      failpoint('committed')
      return bases
    } catch (error) {
      const failure = classify(error)
      if (failure instanceof RefusedError) await transaction.abort()
      throw failure
    }
  }

  async #sendRecords(batches: readonly ProduceBatch[], transaction: OpenTransaction): Promise<number[]> {
    const bases = await this.#sendAll(batches, round => this.#producer.sendBatches(transaction, round))
    failpoint('records-sent')
    return bases
  }

  async #commitAll(commits: readonly Commit[], transaction: OpenTransaction): Promise<void> {
    for (const commit of commits) {
      await transaction.addConsumer({ groupId: commit.group } as Parameters<typeof transaction.addConsumer>[0])
      await this.#producer.commitPosition(transaction.id, commit)
    }
  }

  async #sendAll(batches: readonly ProduceBatch[], send: Send): Promise<number[]> {
    const bases: number[] = new Array(batches.length)
    for (const round of rounds(batches)) {
      const offsets = await send(round.map(i => batches[i]!))
      for (const [j, i] of round.entries()) bases[i] = offsets[j]!
    }
    return bases
  }

  async #sendPlain(batches: readonly ProduceBatch[]): Promise<number[]> {
    const messages = batches.flatMap(({ topic, partition, records }) =>
      records.map(record => messageOf(record, topic, partition)),
    )
    const { offsets = [] } = await this.#producer.send({ messages })
    return batches.map(({ topic, partition }) =>
      Number(offsets.find(entry => entry.topic === topic && entry.partition === partition)?.offset),
    )
  }

  async close(): Promise<void> {
    await this.#producer.close(true)
  }
}

function messageOf({ key, value, headers, timestamp }: OutgoingRecord, topic: string, partition: number) {
  return {
    topic,
    partition,
    // Null is a tombstone on the wire, but not in the library's types.
    value: bufferOf(value) as Buffer,
    ...(key && { key: bufferOf(key) as Buffer }),
    ...(headers && {
      headers: new Map(Object.entries(headers).map(([name, bytes]) => [Buffer.from(name), bufferOf(bytes) as Buffer])),
    }),
    ...(timestamp !== undefined && { timestamp: BigInt(Math.trunc(timestamp)) }),
  }
}

function bufferOf(bytes: Uint8Array | null): Buffer | null {
  return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** What an error of the library means, found among all it carries. */
function classify(error: unknown): unknown {
  const carries = (id: string) => findErrorBy(error as Error, 'apiId', id) !== null
  const { message } = error as Error
  if (FENCED.some(carries)) return new FencedError(message, { cause: error })
  if (REFUSED.some(carries)) return new RefusedError(message, { cause: error })
  return error
}
