import type { CompressionTypes, Message, Producer, RecordMetadata, TopicMessages } from 'kafkajs'
import type { OutgoingRecord } from '../event-log.ts'
import { failpoint } from '../failpoint.ts'
import { type Commit, FencedError, type KafkaProducer, type ProduceBatch, RefusedError } from './driver.ts'

const FENCED = new Set(['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH'])
const REFUSED = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'TOPIC_AUTHORIZATION_FAILED',
])

type Send = (batch: {
  topicMessages: TopicMessages[]
  acks: number
  compression: CompressionTypes
}) => Promise<RecordMetadata[]>

export class KafkajsProducer implements KafkaProducer {
  readonly #producer: Producer
  readonly #transactional: boolean
  readonly #compression: CompressionTypes

  constructor(producer: Producer, transactional: boolean, compression: CompressionTypes) {
    this.#producer = producer
    this.#transactional = transactional
    this.#compression = compression
  }

  async initialise(): Promise<void> {
    await this.#producer.connect()
    // The id is taken only by the first transaction; an empty one costs no more than that.
    if (this.#transactional) await (await this.#producer.transaction()).abort()
  }

  async send(batches: readonly ProduceBatch[], commits: readonly Commit[]): Promise<number[]> {
    if (!this.#transactional)
      return this.#sendAll(batches, batch => this.#producer.sendBatch(batch)).catch(error => {
        throw classify(error)
      })
    const transaction = await this.#producer.transaction().catch(error => {
      throw classify(error)
    })
    try {
      const bases = await this.#sendAll(batches, batch => transaction.sendBatch(batch))
      failpoint('records-sent')
      for (const { group, topic, partition, offset } of commits)
        await transaction.sendOffsets({
          consumerGroupId: group,
          topics: [{ topic, partitions: [{ partition, offset: `${offset}` }] }],
        })
      failpoint('position-sent')
      await transaction.commit()
      failpoint('committed')
      return bases
    } catch (error) {
      const failure = classify(error)
      // After a refusal the log goes on, so the transaction must be over; otherwise the process ends anyway.
      if (failure instanceof RefusedError) await transaction.abort()
      throw failure
    }
  }

  /**
   * One partition a request: of a request for several brokers the library repeats, after a failure, whatever the broker
   * that failed leads by then. A partition that moved to a broker that had answered would be left out, one that moved
   * the other way would be stored twice.
   */
  async #sendAll(batches: readonly ProduceBatch[], send: Send): Promise<number[]> {
    const bases: number[] = []
    for (const { topic, partition, records } of batches) {
      const topicMessages = [{ topic, messages: records.map(record => messageOf(record, partition)) }]
      const [sent] = await send({ topicMessages, acks: -1, compression: this.#compression })
      bases.push(Number(sent!.baseOffset))
    }
    return bases
  }

  async close(): Promise<void> {
    await this.#producer.disconnect()
  }
}

function messageOf({ key, value, headers, timestamp }: OutgoingRecord, partition: number): Message {
  return {
    key: bufferOf(key),
    value: bufferOf(value),
    partition,
    ...(headers && { headers: mapValues(headers) }),
    ...(timestamp !== undefined && { timestamp: `${timestamp}` }),
  }
}

/** kafkajs copies with Buffer's methods. */
function bufferOf<T extends Uint8Array | null>(bytes: T): Buffer | (T & null) {
  if (bytes === null || Buffer.isBuffer(bytes)) return bytes as Buffer | (T & null)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

function mapValues(headers: Readonly<Record<string, Uint8Array>>): Record<string, Buffer> {
  const result: Record<string, Buffer> = {}
  for (const name in headers) result[name] = bufferOf(headers[name]!)
  return result
}

/** What an error of the library means, found along its causes. */
function classify(error: unknown): unknown {
  for (
    let cause = error as { type?: string; cause?: unknown; originalError?: unknown; message?: string } | undefined;
    cause;
  ) {
    if (cause.type && FENCED.has(cause.type)) return new FencedError(cause.message, { cause: error })
    if (cause.type && REFUSED.has(cause.type)) return new RefusedError(cause.message, { cause: error })
    cause = (cause.cause ?? cause.originalError) as typeof cause
  }
  return error
}
