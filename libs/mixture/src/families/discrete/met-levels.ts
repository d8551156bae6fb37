import type { Block } from '../block.ts'
import type { CodeTarget } from './levels.ts'

/** Whole numbers below this are one level wherever they occur; any other value is one for itself. */
const SMALL = 64

/** The levels of columns of numbers: equal small whole numbers of a column are one level, numbered in the order in which they are met. */
export class MetLevels {
  /** shape (count): the level's value, and which of the columns it belongs to */
  values = new Float64Array(0)
  columns = new Int32Array(0)
  count = 0
  readonly #small: Int32Array
  readonly #width: number

  /** @param columns number of columns */
  constructor(columns: number) {
    this.#width = columns
    this.#small = new Int32Array(columns * SMALL)
  }

  /** As `Levels.encode`. @returns the number of levels */
  encode(
    block: Block,
    places: readonly number[],
    from: number,
    to: number,
    { codes, stride, offset, first, size }: CodeTarget,
  ): number {
    const d = this.#width
    const small = this.#small
    const most = (to - from) * d
    if (this.values.length < most) {
      this.values = new Float64Array(most)
      this.columns = new Int32Array(most)
    }
    small.fill(-1)
    let count = 0
    for (let j = 0; j < d; j++) {
      let at = from * block.columns + places[j]!
      for (let n = from, out = offset + j; n < to; n++, out += stride, at += block.columns) {
        const x = block.values[at]!
        const index = x | 0
        if (Number.isNaN(x)) {
          codes[out] = 0
          continue
        }
        const isSmall = index === x && index >= 0 && index < SMALL
        let level = isSmall ? small[j * SMALL + index]! : -1
        if (level < 0) {
          level = count++
          this.values[level] = x
          this.columns[level] = j
          if (isSmall) small[j * SMALL + index] = level
        }
        codes[out] = (first + level) * size
      }
    }
    this.count = count
    return count
  }
}
