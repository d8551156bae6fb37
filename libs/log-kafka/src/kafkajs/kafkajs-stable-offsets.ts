import { createRequire } from 'node:module'

/*
 * kafkajs asks for committed offsets in a version of OffsetFetch that does not tell whether a transaction is about to
 * move them (KIP-447). Who takes over a partition may then begin before records whose labels are already committed, where
 * the broker finishes a group's part of a transaction later than its end (the coordinator before Kafka 4). So the library
 * is taught version 7, and each offset says in its metadata whether it may still move.
 */

/** Metadata of an offset that an unfinished transaction may still move. */
export const UNSTABLE = 'eddy:unstable'
/** Error code UNSTABLE_OFFSET_COMMIT. */
const UNSTABLE_OFFSET_COMMIT = 88
const VERSION = 7

interface Topics
  extends ReadonlyArray<{ readonly topic: string; readonly partitions: readonly { readonly partition: number }[] }> {
  readonly requireStable?: true
}
interface Request {
  readonly groupId: string
  readonly topics: Topics
}
interface CommittedOffset {
  readonly partition: number
  readonly offset: string
  readonly metadata: string | null
  readonly errorCode: number
}
interface Response {
  readonly responses: readonly { readonly topic: string; readonly partitions: readonly CommittedOffset[] }[]
  readonly errorCode?: number
}
interface Exchange {
  readonly request: object
  readonly response: {
    readonly decode: (bytes: Buffer) => Promise<Response>
    readonly parse: (data: Response) => Promise<Response>
  }
}
type OffsetFetch = (this: object, request: Request) => Promise<Response>

interface Encoder {
  writeUVarIntString(text: string): Encoder
  writeUVarIntArray(items: readonly Encoder[]): Encoder
  writeUVarIntBytes(): Encoder
  writeInt32(value: number): Encoder
  writeBoolean(value: boolean): Encoder
}
interface Decoder {
  readUVarIntString(): string
  readUVarIntArray<T>(read: (decoder: Decoder) => T): readonly T[] | null
  readTaggedFields(): unknown
  readInt16(): number
  readInt32(): number
  readInt64(): bigint
}

const require = createRequire(import.meta.url)
const Encoder = require('kafkajs/src/protocol/encoder.js') as new () => Encoder
const Decoder = require('kafkajs/src/protocol/decoder.js') as new (bytes: Buffer) => Decoder
const { createErrorFromCode } = require('kafkajs/src/protocol/error.js') as { createErrorFromCode(code: number): Error }

/** Lets `broker.offsetFetch` mark the offsets that may still move. Brokers before Kafka 2.5 cannot say; none is marked then. */
export function markUnstableOffsets(broker: { prototype: { offsetFetch?: unknown } }): void {
  const definition = require('kafkajs/src/protocol/requests/offsetFetch/index.js') as {
    readonly versions: string[]
    protocol: (options: { version: number }) => (request: Request) => Exchange
  }
  const known = definition.protocol
  const newestKnown = Math.max(...definition.versions.map(Number))
  definition.versions.push(`${VERSION}`)
  definition.protocol = ({ version }) => {
    const plain = known({ version: Math.min(version, newestKnown) })
    return request =>
      version === VERSION && request.topics.requireStable ? stableOffsetFetch(request) : plain(request)
  }

  const offsetFetch = broker.prototype.offsetFetch as OffsetFetch
  broker.prototype.offsetFetch = async function (this: object, { groupId, topics }: Request) {
    const requireStable = { requireStable: true } as const
    const stable = await offsetFetch.call(this, { groupId, topics: Object.assign([...topics], requireStable) })
    const unstable = new Set<string>()
    for (const { topic, partitions } of stable.responses)
      for (const { partition, errorCode } of partitions)
        if (errorCode === UNSTABLE_OFFSET_COMMIT) unstable.add(`${topic}/${partition}`)
    if (unstable.size === 0) return stable
    const present = await offsetFetch.call(this, { groupId, topics })
    const marked = (topic: string, offset: CommittedOffset): CommittedOffset =>
      unstable.has(`${topic}/${offset.partition}`) ? { ...offset, metadata: UNSTABLE } : offset
    return {
      ...present,
      responses: present.responses.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(offset => marked(topic, offset)),
      })),
    }
  } satisfies OffsetFetch
}

/** OffsetFetch version 7 => group_id [name [partition_index]] require_stable, all compact, with tagged fields. */
function stableOffsetFetch({ groupId, topics }: Request): Exchange {
  const encode = async (): Promise<Encoder> =>
    new Encoder()
      .writeUVarIntBytes()
      .writeUVarIntString(groupId)
      .writeUVarIntArray(
        topics.map(({ topic, partitions }) =>
          new Encoder()
            .writeUVarIntString(topic)
            .writeUVarIntArray(partitions.map(({ partition }) => new Encoder().writeInt32(partition)))
            .writeUVarIntBytes(),
        ),
      )
      .writeBoolean(true)
      .writeUVarIntBytes()
  return {
    request: { apiKey: 9, apiVersion: VERSION, apiName: 'OffsetFetch', encode },
    response: { decode: async bytes => decode(new Decoder(bytes)), parse: async data => refuseErrors(data) },
  }
}

function decode(decoder: Decoder): Response {
  decoder.readTaggedFields()
  decoder.readInt32() // throttle time
  const responses = decoder.readUVarIntArray(topics => {
    const topic = topics.readUVarIntString()
    const partitions = topics.readUVarIntArray(decodePartition) ?? []
    topics.readTaggedFields()
    return { topic, partitions }
  })
  return { responses: responses ?? [], errorCode: decoder.readInt16() }
}

function decodePartition(decoder: Decoder): CommittedOffset {
  const partition = decoder.readInt32()
  const offset = decoder.readInt64().toString()
  decoder.readInt32() // leader epoch
  const metadata = decoder.readUVarIntString()
  const errorCode = decoder.readInt16()
  decoder.readTaggedFields()
  return { partition, offset, metadata, errorCode }
}

function refuseErrors(data: Response): Response {
  const codes = [data.errorCode ?? 0, ...data.responses.flatMap(({ partitions }) => partitions.map(p => p.errorCode))]
  const error = codes.find(code => code !== 0 && code !== UNSTABLE_OFFSET_COMMIT)
  if (error !== undefined) throw createErrorFromCode(error)
  return data
}
