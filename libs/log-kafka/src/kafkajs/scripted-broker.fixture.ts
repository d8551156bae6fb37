import { once } from 'node:events'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

interface Encoder {
  writeInt8(value: number): Encoder
  writeInt16(value: number): Encoder
  writeInt32(value: number): Encoder
  writeInt64(value: number): Encoder
  writeBoolean(value: boolean): Encoder
  writeString(text: string | null): Encoder
  writeArray(items: readonly (Encoder | number)[], type?: string): Encoder
  readonly buffer: Buffer
}
interface Decoder {
  readInt8(): number
  readInt16(): number
  readInt32(): number
  readInt64(): bigint
  readString(): string
  readArray<T>(read: (decoder: Decoder) => T): T[]
}

const require = createRequire(import.meta.url)
const Encoder = require('kafkajs/src/protocol/encoder.js') as new () => Encoder
const Decoder = require('kafkajs/src/protocol/decoder.js') as new (bytes: Buffer) => Decoder

/** Versions that are spoken, by API key: the oldest that kafkajs knows, as they are the shortest. */
const SPOKEN = {
  listOffsets: [2, 1],
  metadata: [3, 1],
  offsetFetch: [9, 1],
  findCoordinator: [10, 0],
  apiVersions: [18, 0],
  describeConfigs: [32, 0],
}

export interface ScriptedTopic {
  readonly partitions: number
  /** Records a partition. */
  readonly end: number
}

/**
 * A broker of which a test decides what it answers, and when: metadata, offsets and committed positions.
 */
export class ScriptedBroker {
  readonly topics = new Map<string, ScriptedTopic>()
  /** Committed offset by `topic/partition`; the others have none. */
  readonly committed = new Map<string, number>()
  /** `topic/partition` of each question for committed positions. */
  readonly positionsAsked: (readonly string[])[] = []
  /** `topic/partition` that answers about positions and offsets leave out. */
  readonly omitted = new Set<string>()
  readonly #omittedOnce = new Set<string>()
  /** Holds the answer to a metadata request back; told the topics it names, all of them for none. */
  delay: (topics: readonly string[]) => Promise<void> | undefined = () => undefined
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor() {
    this.#server = createServer(socket => {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      let received = Buffer.alloc(0)
      socket.on('data', bytes => {
        received = Buffer.concat([received, bytes])
        while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
          const request = received.subarray(4, 4 + received.readInt32BE(0))
          received = received.subarray(4 + request.length)
          void this.#serve(socket, request)
        }
      })
    })
  }

  /** @returns its address, host:port */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `127.0.0.1:${this.#port}`
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Leaves a `topic/partition` out of the next answer about it. */
  omitOnce(key: string): void {
    this.#omittedOnce.add(key)
  }

  #omits(key: string): boolean {
    return this.omitted.has(key) || this.#omittedOnce.delete(key)
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  async #serve(socket: Socket, request: Buffer): Promise<void> {
    const decoder = new Decoder(request)
    const apiKey = decoder.readInt16()
    decoder.readInt16()
    const correlationId = decoder.readInt32()
    decoder.readString()
    const answer = await this.#answer(apiKey, decoder)
    const head = Buffer.alloc(8)
    head.writeInt32BE(4 + answer.buffer.length)
    head.writeInt32BE(correlationId, 4)
    socket.write(Buffer.concat([head, answer.buffer]))
  }

  #answer(apiKey: number, request: Decoder): Encoder | Promise<Encoder> {
    if (apiKey === SPOKEN.apiVersions[0]) return apiVersions()
    if (apiKey === SPOKEN.metadata[0]) return this.#metadata(request)
    if (apiKey === SPOKEN.findCoordinator[0]) return this.#node(new Encoder().writeInt16(0))
    if (apiKey === SPOKEN.offsetFetch[0]) return this.#positions(request)
    if (apiKey === SPOKEN.listOffsets[0]) return this.#offsets(request)
    if (apiKey === SPOKEN.describeConfigs[0]) return configuration(request)
    throw new Error(`api key: expected one of ${JSON.stringify(SPOKEN)}, got ${apiKey}`)
  }

  #node(encoder: Encoder): Encoder {
    return encoder.writeInt32(0).writeString('127.0.0.1').writeInt32(this.#port)
  }

  async #metadata(request: Decoder): Promise<Encoder> {
    const named = request.readArray(decoder => decoder.readString())
    const topics = named.length === 0 ? [...this.topics.keys()] : named
    const known = topics.map(topic => [topic, this.topics.get(topic)?.partitions] as const)
    await this.delay(topics)
    return new Encoder()
      .writeArray([this.#node(new Encoder()).writeString(null)])
      .writeInt32(0)
      .writeArray(known.map(([topic, partitions]) => topicMetadata(topic, partitions)))
  }

  #positions(request: Decoder): Encoder {
    request.readString()
    const asked: string[] = []
    this.positionsAsked.push(asked)
    return this.#eachPartition(request, (encoder, key) => {
      asked.push(key)
      const offset = this.committed.get(key) ?? -1
      return encoder.writeInt64(offset).writeString('').writeInt16(0)
    })
  }

  #offsets(request: Decoder): Encoder {
    request.readInt32()
    const answer = (encoder: Encoder, key: string, timestamp: bigint): Encoder => {
      const offset = timestamp === -2n ? 0 : this.topics.get(key.slice(0, key.lastIndexOf('/')))!.end
      return encoder.writeInt16(0).writeInt64(-1).writeInt64(offset)
    }
    return this.#eachPartition(request, answer, decoder => decoder.readInt64())
  }

  /** An answer with an entry for each partition of a request but the omitted ones. */
  #eachPartition<T>(
    request: Decoder,
    write: (encoder: Encoder, key: string, said: T) => Encoder,
    read: (decoder: Decoder) => T = () => undefined as T,
  ): Encoder {
    const topics = request.readArray(decoder => ({
      topic: decoder.readString(),
      partitions: decoder.readArray(inner => ({ partition: inner.readInt32(), said: read(inner) })),
    }))
    return new Encoder().writeArray(
      topics.map(({ topic, partitions }) => {
        const entries = partitions
          .filter(({ partition }) => !this.#omits(`${topic}/${partition}`))
          .map(({ partition, said }) => write(new Encoder().writeInt32(partition), `${topic}/${partition}`, said))
        return new Encoder().writeString(topic).writeArray(entries)
      }),
    )
  }
}

function apiVersions(): Encoder {
  const versions = Object.values(SPOKEN).map(([key, version]) =>
    new Encoder().writeInt16(key!).writeInt16(version!).writeInt16(version!),
  )
  return new Encoder().writeInt16(0).writeArray(versions)
}

/** No setting differs from the default. */
function configuration(request: Decoder): Encoder {
  const resources = request.readArray(decoder => ({ type: decoder.readInt8(), name: decoder.readString() }))
  const described = resources.map(({ type, name }) =>
    new Encoder().writeInt16(0).writeString(null).writeInt8(type).writeString(name).writeArray([]),
  )
  return new Encoder().writeInt32(0).writeArray(described)
}

const UNKNOWN_TOPIC_OR_PARTITION = 3

function topicMetadata(topic: string, partitions: number | undefined): Encoder {
  const replicas = (encoder: Encoder) => encoder.writeArray([0], 'int32').writeArray([0], 'int32')
  return new Encoder()
    .writeInt16(partitions === undefined ? UNKNOWN_TOPIC_OR_PARTITION : 0)
    .writeString(topic)
    .writeBoolean(false)
    .writeArray(
      Array.from({ length: partitions ?? 0 }, (_, partition) =>
        replicas(new Encoder().writeInt16(0).writeInt32(partition).writeInt32(0)),
      ),
    )
}
