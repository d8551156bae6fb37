import type { Block, Random } from '@eddy/mixture'
import type { Ledger } from '@eddy/model'
import type { EventRange, LearnedEvents } from './learned-events.ts'

/** Events, each counting for those it stands for. */
export interface SampledEvents {
  readonly block: Block
  /** shape (rows) */
  readonly weights: Float64Array
}

/**
 * At most about `size` of the learned events: the newest half as they are, so that what has begun lately is seen, and of the older ones
 * an even sample, each counting for those that were left out, so that together they are like all `most` events.
 */
export async function sampleEvents(
  events: LearnedEvents,
  ledger: Ledger,
  { size, most, random }: { readonly size: number; readonly most: number; readonly random: Random },
): Promise<SampledEvents> {
  const all = await events.newest(ledger, most)
  const newest = new Map((await events.newest(ledger, size / 2)).map(range => [range.partition, range.from]))
  const border = ({ partition, from }: EventRange): number => Math.max(from, newest.get(partition) ?? from)
  const older = all.map(range => ({ ...range, to: border(range) }))
  const recent = all.map(range => ({ ...range, from: border(range) }))
  const count = older.reduce((sum, { from, to }) => sum + to - from, 0)
  const sample = new Collection()
  const share = Math.min(1, size / 2 / Math.max(1, count))
  let weight = 0
  await events.visit(older, (block, weights) => {
    for (let n = 0; n < block.rows; n++) {
      weight += weights[n]!
      if (share === 1 || random() < share) sample.add(block, weights, n)
    }
  })
  sample.standFor(weight)
  await events.visit(recent, (block, weights) => {
    for (let n = 0; n < block.rows; n++) sample.add(block, weights, n)
  })
  return sample.contents()
}

class Collection {
  readonly #values: number[] = []
  readonly #weights: number[] = []
  #columns = 0

  add({ columns, values }: Block, weights: Float64Array, row: number): void {
    this.#columns = columns
    for (let j = 0; j < columns; j++) this.#values.push(values[row * columns + j]!)
    this.#weights.push(weights[row]!)
  }

  /** Scales the weights so that they sum to this. */
  standFor(weight: number): void {
    const sum = this.#weights.reduce((a, b) => a + b, 0)
    if (sum === weight) return
    for (let n = 0; n < this.#weights.length; n++) this.#weights[n]! *= weight / sum
  }

  contents(): SampledEvents {
    const block = { rows: this.#weights.length, columns: this.#columns, values: Float64Array.from(this.#values) }
    return { block, weights: Float64Array.from(this.#weights) }
  }
}
