import type { Admin, Kafka, RetryOptions } from 'kafkajs'

/** A partition's committed offset, as the group's coordinator tells it. */
export interface CommittedOffset {
  readonly partition: number
  readonly offset: string
  readonly metadata: string | null
}

interface Coordinator {
  offsetFetch(request: {
    readonly groupId: string
    readonly topics: readonly {
      readonly topic: string
      readonly partitions: readonly { readonly partition: number }[]
    }[]
  }): Promise<{
    readonly responses: readonly { readonly topic: string; readonly partitions: readonly CommittedOffset[] }[]
  }>
}

interface PartitionOffset {
  readonly partition: number
  readonly offset: string
}

/** What stands behind a client of the library. */
interface Cluster {
  addTargetTopic(topic: string): Promise<void>
  refreshMetadataIfNecessary(): Promise<void>
  findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number; readonly leader: number }[]
  findGroupCoordinator(request: { readonly groupId: string }): Promise<Coordinator>
  fetchTopicsOffset(
    topics: readonly {
      readonly topic: string
      readonly partitions: readonly { readonly partition: number }[]
      readonly fromBeginning: boolean
    }[],
  ): Promise<readonly { readonly topic: string; readonly partitions: readonly PartitionOffset[] }[]>
}

/**
 * The library's admin client, and questions that it cannot be asked. Of offsets it has answers for those partitions that its newest
 * metadata name, and those of another topic, asked for before, may have come after: then it has an answer for none. Here the partitions
 * are named by who asks.
 */
export class AdminClient {
  readonly admin: Admin
  readonly #cluster: Cluster

  constructor(kafka: Kafka, retry: RetryOptions) {
    ;[this.admin, this.#cluster] = adminOf(kafka, retry)
  }

  /** What metadata say of the partitions of a topic that exists; none when they are another topic's. */
  async metadataOf(topic: string): Promise<ReturnType<Cluster['findTopicPartitionMetadata']>> {
    // A target is part of every refresh: the library's question for a single topic would make it forget the others.
    await this.#cluster.addTargetTopic(topic)
    await this.#cluster.refreshMetadataIfNecessary()
    return this.#cluster.findTopicPartitionMetadata(topic)
  }

  /** Offsets that a group has committed, by partition; −1 where there is none. A partition may be missing. */
  async committed(
    groupId: string,
    topic: string,
    partitions: readonly number[],
  ): Promise<ReadonlyMap<number, CommittedOffset>> {
    const coordinator = await this.#cluster.findGroupCoordinator({ groupId })
    const topics = [{ topic, partitions: partitions.map(partition => ({ partition })) }]
    const { responses } = await coordinator.offsetFetch({ groupId, topics })
    return byPartition(topic, responses)
  }

  /** First offsets, or high watermarks, by partition. A partition whose leader is not known is missing. */
  async offsets(
    topic: string,
    partitions: readonly number[],
    which: 'start' | 'end',
  ): Promise<ReadonlyMap<number, PartitionOffset>> {
    await this.metadataOf(topic)
    const asked = partitions.map(partition => ({ partition }))
    return byPartition(
      topic,
      await this.#cluster.fetchTopicsOffset([{ topic, partitions: asked, fromBeginning: which === 'start' }]),
    )
  }
}

function byPartition<T extends { readonly partition: number }>(
  topic: string,
  answer: readonly { readonly topic: string; readonly partitions: readonly T[] }[],
): ReadonlyMap<number, T> {
  const entries = answer.find(entry => entry.topic === topic)?.partitions ?? []
  return new Map(entries.map(entry => [entry.partition, entry]))
}

/** A client and the cluster that the library makes for it, and keeps to itself. */
function adminOf(kafka: Kafka, retry: RetryOptions): [Admin, Cluster] {
  const library = kafka as unknown as Record<symbol, (...options: unknown[]) => Cluster>
  const name = Object.getOwnPropertySymbols(kafka).find(symbol => symbol.description === 'private:Kafka:createCluster')!
  const create = library[name]!
  let cluster: Cluster | undefined
  library[name] = (...options) => {
    cluster = create(...options)
    return cluster
  }
  try {
    return [kafka.admin({ retry }), cluster!]
  } finally {
    library[name] = create
  }
}
