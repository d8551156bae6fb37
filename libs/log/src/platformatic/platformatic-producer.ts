import {
  type BaseOptions,
  findErrorBy,
  type Message,
  type ProduceResult,
  Producer,
  type SendOptions,
} from '@platformatic/kafka'
import type { OutgoingRecord } from '../event-log.ts'
import { failpoint } from '../failpoint.ts'
import { type Commit, FencedError, type KafkaProducer, type ProduceBatch, RefusedError } from '../kafka/driver.ts'
import type { KafkaOptions } from '../kafka/options.ts'
import { rounds } from '../kafka/rounds.ts'

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

type Send = (options: SendOptions<Buffer, Buffer, Buffer, Buffer>) => Promise<ProduceResult>

export class PlatformaticProducer implements KafkaProducer {
  readonly #producer: Producer
  readonly #transactional: boolean
  readonly #coordinatorOf: (group: string) => Promise<number>

  constructor(
    options: BaseOptions,
    transactionalId: string | undefined,
    compression: NonNullable<KafkaOptions['compression']>,
    transactionTimeoutMs: number,
    coordinatorOf: (group: string) => Promise<number>,
  ) {
    this.#transactional = transactionalId !== undefined
    this.#coordinatorOf = coordinatorOf
    this.#producer = new Producer({
      ...options,
      idempotent: true,
      compression,
      // Of a request, and of a transaction.
      timeout: transactionTimeoutMs,
      ...(transactionalId !== undefined && { transactionalId }),
    })
  }

  async initialise(): Promise<void> {
    if (this.#transactional) await (await this.#producer.beginTransaction(NEW)).cancel()
  }

  async send(batches: readonly ProduceBatch[], commits: readonly Commit[]): Promise<number[]> {
    if (!this.#transactional)
      return this.#sendAll(batches, options => this.#producer.send(options)).catch(error => {
        throw classify(error)
      })
    const transaction = await this.#producer.beginTransaction(NEW).catch(error => {
      throw classify(error)
    })
    try {
      const bases = await this.#sendAll(batches, options => transaction.send(options))
      failpoint('records-sent')
      for (const { group, topic, partition, offset } of commits) {
        await transaction.addConsumer({ groupId: group } as Parameters<typeof transaction.addConsumer>[0])
        // The library commits the position after a message it has consumed itself: this is all it reads of one.
        const consumer = {
          groupId: group,
          generationId: -1,
          memberId: '',
          coordinatorId: await this.#coordinatorOf(group),
        }
        const message = { topic, partition, offset: BigInt(offset) - 1n, metadata: { consumer } }
        await transaction.addOffset(message as unknown as Message)
      }
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

  async #sendAll(batches: readonly ProduceBatch[], send: Send): Promise<number[]> {
    const bases: number[] = new Array(batches.length)
    for (const round of rounds(batches)) {
      const messages = round.flatMap(i => {
        const { topic, partition, records } = batches[i]!
        return records.map(record => messageOf(record, topic, partition))
      })
      const { offsets = [] } = await send({ messages })
      for (const i of round) {
        const { topic, partition } = batches[i]!
        const found = offsets.find(entry => entry.topic === topic && entry.partition === partition)
        bases[i] = Number(found?.offset)
      }
    }
    return bases
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
