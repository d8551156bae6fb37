import type { StoredRecord } from '@eddy/log'

/** Fetched bytes a partition may hold before its fetching pauses; it resumes at half. */
const BUFFER_BYTES = 2 << 20

interface Chunk {
  readonly records: readonly StoredRecord[]
  taken: number
  readonly nextOffset: number
}

/** What was fetched of a partition and waits for delivery, in order. */
export class FetchBuffer {
  readonly #chunks: Chunk[] = []
  #bytes = 0

  get isEmpty(): boolean {
    return this.#chunks.length === 0
  }

  /** Records that wait. */
  get length(): number {
    let length = 0
    for (const { records, taken } of this.#chunks) length += records.length - taken
    return length
  }

  /** Offset of the first record, or undefined when there is none. */
  get firstOffset(): number | undefined {
    const [first] = this.#chunks
    return first?.records[first.taken]?.offset
  }

  /** Fetching is to pause. */
  get isFull(): boolean {
    return this.#bytes > BUFFER_BYTES
  }

  /** Fetching may resume. */
  get hasRoom(): boolean {
    return this.#bytes < BUFFER_BYTES / 2
  }

  /**
   * @param records at least one
   * @param nextOffset of the next fetch; beyond the last record's by more than 1 where markers follow
   */
  add(records: readonly StoredRecord[], nextOffset: number): void {
    this.#chunks.push({ records, taken: 0, nextOffset })
    for (const record of records) this.#bytes += sizeOf(record)
  }

  /**
   * Takes the first records out.
   * @param most records
   * @param limit offset at which to stop
   * @returns the records, perhaps none, and the offset after them, where markers are passed over
   */
  take(most: number, limit: number): { records: readonly StoredRecord[]; nextOffset: number } {
    const records: StoredRecord[] = []
    let nextOffset = 0
    while (this.#chunks.length > 0 && records.length < most) {
      const chunk = this.#chunks[0]!
      while (chunk.taken < chunk.records.length && records.length < most) {
        const record = chunk.records[chunk.taken]!
        if (record.offset >= limit) break
        records.push(record)
        chunk.taken++
        this.#bytes -= sizeOf(record)
      }
      if (chunk.taken < chunk.records.length) {
        nextOffset = Math.min(chunk.records[chunk.taken]!.offset, limit)
        break
      }
      nextOffset = chunk.nextOffset
      this.#chunks.shift()
    }
    return { records, nextOffset }
  }
}

/** Bytes of a record in memory, about. */
function sizeOf({ key, value }: StoredRecord): number {
  return 64 + (key?.length ?? 0) + (value?.length ?? 0)
}
