import type { StoredBatch } from './store.ts'

/** What is kept of all partitions together, bytes. */
const MOST_BYTES = 32 << 20
/** What a batch takes besides its payload, about. */
const OVERHEAD = 1024

interface Recent {
  /** Offsets from here to the end of the newest batch are covered without a gap. */
  from: number
  readonly batches: StoredBatch[]
}

/** What was appended last, in memory: a consumer that keeps up never reads the file. */
export class RecentBatches {
  readonly #partitions = new Map<number, Recent>()
  /** The partition of each batch, oldest first. */
  readonly #ages = new Map<StoredBatch, number>()
  #bytes = 0

  /** @param from where the partition ended before this batch */
  add(partition: number, from: number, batch: StoredBatch): void {
    const recent = this.#partitions.get(partition) ?? { from, batches: [] }
    this.#partitions.set(partition, recent)
    recent.batches.push(batch)
    this.#ages.set(batch, partition)
    this.#bytes += sizeOf(batch)
    for (const oldest of this.#ages.values()) {
      if (this.#bytes <= MOST_BYTES) return
      this.#dropOldest(this.#partitions.get(oldest)!)
    }
  }

  /** The first batch that holds records at or after `offset`; undefined where only the file knows. */
  batchFrom(partition: number, offset: number): StoredBatch | undefined {
    const recent = this.#partitions.get(partition)
    if (!recent || offset < recent.from) return undefined
    // Consumers that keep up want one of the last.
    let i = recent.batches.length
    while (i > 0 && recent.batches[i - 1]!.next > offset) i--
    return recent.batches[i]
  }

  /** The partition's batches in the file are others now. */
  forget(partition: number): void {
    const recent = this.#partitions.get(partition)
    while (recent && recent.batches.length > 0) this.#dropOldest(recent)
    this.#partitions.delete(partition)
  }

  #dropOldest(recent: Recent): void {
    const batch = recent.batches.shift()!
    recent.from = batch.next
    this.#ages.delete(batch)
    this.#bytes -= sizeOf(batch)
  }
}

const sizeOf = ({ records }: StoredBatch): number => records.bytes.length + OVERHEAD
