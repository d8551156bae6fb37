import type { PartitionState, StoredBatch } from './partition-state.ts'

/** What is kept of all partitions together, bytes; what is not durable yet is kept beyond it. */
const MOST_BYTES = 32 << 20
/** What a batch takes besides its payload, about. */
const OVERHEAD = 1024

interface Recent {
  /** Offsets from here to the end of the newest batch are covered without a gap. */
  from: number
  readonly batches: StoredBatch[]
}

/** What was appended last, in memory: a consumer that keeps up never reads the file, nor waits for it. */
export class RecentBatches {
  readonly #partitions = new Map<PartitionState, Recent>()
  /** The partition of each batch, oldest first. */
  readonly #ages = new Map<StoredBatch, PartitionState>()
  #bytes = 0

  /** Adds the batch that begins where the partition ends so far. */
  add(partition: PartitionState, batch: StoredBatch): void {
    const recent = this.#partitions.get(partition) ?? { from: partition.placed, batches: [] }
    this.#partitions.set(partition, recent)
    recent.batches.push(batch)
    this.#ages.set(batch, partition)
    this.#bytes += sizeOf(batch)
    for (const [oldest, owner] of this.#ages) {
      if (this.#bytes <= MOST_BYTES || oldest.next > owner.next) return
      this.#dropOldest(this.#partitions.get(owner)!)
    }
  }

  /** The first batch that holds records at or after `offset`; undefined where only the file knows. */
  batchFrom(partition: PartitionState, offset: number): StoredBatch | undefined {
    const recent = this.#partitions.get(partition)
    if (!recent || offset < recent.from) return undefined
    // Consumers that keep up want one of the last.
    let i = recent.batches.length
    while (i > 0 && recent.batches[i - 1]!.next > offset) i--
    return recent.batches[i]
  }

  /** The partition's batches in the file are others now. */
  forget(partition: PartitionState): void {
    const recent = this.#partitions.get(partition)
    while (recent?.batches[0] && recent.batches[0].next <= partition.next) this.#dropOldest(recent)
  }

  /** What was not durable is lost. */
  truncate(partition: PartitionState): void {
    const batches = this.#partitions.get(partition)?.batches ?? []
    while (batches.length > 0 && batches.at(-1)!.next > partition.next) this.#count(batches.pop()!)
  }

  #dropOldest(recent: Recent): void {
    const batch = recent.batches.shift()!
    recent.from = batch.next
    this.#count(batch)
  }

  #count(dropped: StoredBatch): void {
    this.#ages.delete(dropped)
    this.#bytes -= sizeOf(dropped)
  }
}

const sizeOf = ({ records }: StoredBatch): number => records.bytes.length + OVERHEAD
