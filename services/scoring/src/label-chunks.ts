import type { Delivery } from '@eddy/log'
import { labelCodec } from '@eddy/messages'
import { labelJson } from '@eddy/model'

/** What is kept, bytes: readers that follow closely, and those who catch up together, ask for the same. */
const mostBytes = 8 << 20

/** Deliveries of labels as NDJSON, each with its place among the labels (`at`), encoded once however many readers are handed the same records. */
export class LabelChunks {
  readonly #chunks = new Map<string, Buffer>()
  #bytes = 0

  of({ partition, records, nextOffset }: Delivery): Buffer {
    const key = `${partition}/${records[0]?.offset}/${nextOffset}`
    const known = this.#chunks.get(key)
    if (known !== undefined) return known
    const text = records.map(({ offset, value }) => {
      const label = labelJson(labelCodec.decode(value as Uint8Array))
      return `${JSON.stringify({ ...label, at: { partition, offset } })}\n`
    })
    const chunk = Buffer.from(text.join(''))
    this.#chunks.set(key, chunk)
    this.#bytes += chunk.length
    for (const [oldest, { length }] of this.#chunks) {
      if (this.#bytes <= mostBytes) break
      this.#chunks.delete(oldest)
      this.#bytes -= length
    }
    return chunk
  }

  /** Records were erased: none is handed out any more. */
  clear(): void {
    this.#chunks.clear()
    this.#bytes = 0
  }
}
