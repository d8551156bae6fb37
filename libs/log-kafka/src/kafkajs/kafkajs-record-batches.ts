import { createRequire } from 'node:module'
import type { OutgoingRecord, StoredRecord } from '@eddy/log'
import type { ISocketFactory } from 'kafkajs'
import { type Convert, decodeRecordBatches, encodeRecordBatch } from '../record-batch.ts'
import { CompressionCodecs, KafkaJSNonRetriableError } from './kafkajs.ts'
import { claim } from './kafkajs-claim.ts'

/*
 * kafkajs 2.2.4 (the version is pinned) copies the array of a partition's messages once for each message, and makes dozens of
 * objects of each: most of what a relay costs. Its requests and their retries stay; the record batches in them are ours.
 */

/** The records of one partition in the place of kafkajs's messages: it only asks for what is missing, groups them, and counts. */
export class RecordMessages {
  readonly records: readonly OutgoingRecord[]
  /** how far the producer's sequence goes on */
  readonly length: number
  readonly #partition: number

  constructor(partition: number, records: readonly OutgoingRecord[]) {
    this.#partition = partition
    this.records = records
    this.length = records.length
  }

  /** A message without a value: none, as null is one. */
  find(): undefined {
    return undefined
  }

  /** The messages by partition. */
  reduce(): Readonly<Record<number, RecordMessages>> {
    return { [this.#partition]: this }
  }
}

/** A fetched record batch in the place of one kafkajs message; `offset` is its last. */
export interface FetchedBatch {
  readonly offset: string
  readonly key: Uint8Array | null
  readonly isControlRecord: boolean
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean }
  readonly records: readonly StoredRecord[]
}

interface ProduceRequest {
  readonly acks: number
  readonly timeout: number
  readonly compression: number
  readonly transactionalId: string | null | undefined
  readonly producerId: string
  readonly producerEpoch: number
  readonly topicData: readonly {
    readonly topic: string
    readonly partitions: readonly {
      readonly partition: number
      readonly firstSequence: number
      readonly messages: RecordMessages
    }[]
  }[]
}

interface Call {
  readonly request: { readonly apiVersion: number; readonly encode: () => unknown }
  readonly response: { readonly decode: (bytes: Buffer) => unknown }
}
type Lookup = (...arguments_: unknown[]) => (options: unknown) => Call
type Broker = { readonly lookupRequest: Lookup; readonly connectionPool: { readonly socketFactory: unknown } }
type Method = (this: Broker, request: unknown) => Promise<unknown>

interface WireEncoder {
  readonly buffer: Buffer
  writeString(text: string | null): WireEncoder
  writeInt16(value: number): WireEncoder
  writeInt32(value: number): WireEncoder
}
interface WireDecoder {
  readInt16(): number
  readInt32(): number
  readInt64(): unknown
  readString(): string
  readBytes(): Buffer | null
  readArray<T>(read: () => T): T[]
  readArrayAsync<T>(read: () => Promise<T>): Promise<T[]>
}

const require = createRequire(import.meta.url)
const Encoder = require('kafkajs/src/protocol/encoder.js') as new () => WireEncoder
const Decoder = require('kafkajs/src/protocol/decoder.js') as new (bytes: Buffer) => WireDecoder
const FETCH_VERSION = 11

const createSocket = (require('kafkajs/src/network/socketFactory.js') as () => ISocketFactory)()
/**
 * Brokers that are reached by it are ours: other users of the library in this process see no change. The library's own lets
 * the kernel hold a small request back while another is on its way (Nagle), up to 40 ms.
 */
export const socketFactory: ISocketFactory = options => createSocket(options).setNoDelay(true)
const isOurs = ({ connectionPool }: Broker): boolean => connectionPool.socketFactory === socketFactory

/** Gives kafkajs our record batches, once a process, where it goes through `socketFactory`. */
export function replaceRecordBatches(): void {
  const { prototype } = require('kafkajs/src/broker/index.js') as {
    prototype: Record<'produce' | 'fetch', Method>
  }
  if (!claim(prototype, 'record-batches')) return

  const { produce, fetch } = prototype
  prototype.produce = function (request) {
    if (!isOurs(this)) return produce.call(this, request)
    return produce.call(
      changing(this, (call, options) => ({
        ...call,
        request: { ...call.request, encode: () => encodeProduce(options as ProduceRequest) },
      })),
      request,
    )
  }
  prototype.fetch = function (request) {
    if (!isOurs(this)) return fetch.call(this, request)
    return fetch.call(
      changing(this, call => {
        const { apiVersion } = call.request
        if (apiVersion !== FETCH_VERSION)
          throw new KafkaJSNonRetriableError(
            `fetch: expected a broker of Kafka 2.3 or newer, got one of version ${apiVersion}`,
          )
        return { ...call, response: { ...call.response, decode: decodeFetch } }
      }),
      request,
    )
  }
}

/** The broker, with another way of writing or reading a request; `options` are the request's, with all defaults. */
function changing(broker: Broker, change: (call: Call, options: unknown) => Call): Broker {
  const lookupRequest: Lookup = (...arguments_) => {
    const prepare = broker.lookupRequest(...arguments_)
    return options => change(prepare(options), options)
  }
  return Object.create(broker, { lookupRequest: { value: lookupRequest } }) as Broker
}

/** Produce, versions 3 to 7: transactional_id acks timeout [topic [partition record_set]]. */
async function encodeProduce(request: ProduceRequest): Promise<{ buf: Buffer; buffer: Buffer }> {
  const { acks, timeout, compression: codec, transactionalId = null, producerId, producerEpoch, topicData } = request
  const head = new Encoder().writeString(transactionalId).writeInt16(acks).writeInt32(timeout)
  const parts = [head.writeInt32(topicData.length).buffer]
  const now = Date.now()
  for (const { topic, partitions } of topicData) {
    parts.push(new Encoder().writeString(topic).writeInt32(partitions.length).buffer)
    for (const { partition, firstSequence, messages } of partitions) {
      const batch = await encodeRecordBatch(messages.records, {
        producerId: BigInt(producerId),
        producerEpoch,
        firstSequence,
        transactional: transactionalId !== null,
        now,
        ...(codec !== 0 && { compression: { attribute: codec, compress: compressor(codec) } }),
      })
      parts.push(new Encoder().writeInt32(Number(partition)).writeInt32(batch.length).buffer, batch)
    }
  }
  // Copied into the library's own encoder, which takes what looks like one.
  const buffer = Buffer.concat(parts)
  return { buf: buffer, buffer }
}

/** Fetch, version 11: throttle_time error session [topic [partition … record_set]]. */
async function decodeFetch(bytes: Buffer): Promise<unknown> {
  const decoder = new Decoder(bytes)
  const clientSideThrottleTime = decoder.readInt32()
  const errorCode = decoder.readInt16()
  const sessionId = decoder.readInt32()
  const responses = await decoder.readArrayAsync(async () => ({
    topicName: decoder.readString(),
    partitions: await decoder.readArrayAsync(async () => ({
      partition: decoder.readInt32(),
      errorCode: decoder.readInt16(),
      highWatermark: String(decoder.readInt64()),
      lastStableOffset: String(decoder.readInt64()),
      lastStartOffset: String(decoder.readInt64()),
      abortedTransactions: decoder.readArray(() => ({
        producerId: String(decoder.readInt64()),
        firstOffset: String(decoder.readInt64()),
      })),
      preferredReadReplica: decoder.readInt32(),
      messages: await decodeBatches(decoder.readBytes()),
    })),
  }))
  return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses }
}

async function decodeBatches(bytes: Buffer | null): Promise<FetchedBatch[]> {
  const batches = await decodeRecordBatches(bytes ?? Buffer.alloc(0), decompressor)
  return batches.map(({ lastOffset, control, producerId, transactional, records }) => ({
    offset: String(lastOffset),
    key: records[0]?.key ?? null,
    isControlRecord: control,
    batchContext: { producerId: String(producerId), inTransaction: transactional },
    records,
  }))
}

interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>
  decompress(bytes: Buffer): Promise<Buffer>
}

const codecOf = (codec: number): Codec => (CompressionCodecs as unknown as Record<number, () => Codec>)[codec]!()

const compressor =
  (codec: number): Convert =>
  buffer =>
    codecOf(codec).compress({ buffer })

const decompressor =
  (codec: number): Convert =>
  bytes =>
    codecOf(codec).decompress(bytes)
