import type { Block } from '../block.ts'
import type { Family, Parameters, Statistics } from '../family.ts'

/** Where the codes of a family's columns go, and what they are. */
export interface CodeTarget {
  /** written to: shape (rows, stride), row-major */
  readonly codes: Uint32Array
  readonly stride: number
  /** place of the family's first column among the `stride` */
  readonly offset: number
  /** number of the family's first level */
  readonly first: number
  /** the code of a level is this times its number; the code of a missing value is 0 */
  readonly size: number
}

/**
 * A family's columns as levels: equal values of a column have equal log probabilities, so these are worked out once for
 * each level and looked up for each event, and the statistics follow from the sums of responsibilities by level.
 * The levels are those of the events encoded last.
 */
export interface Levels {
  /** The most levels that `rows` events can have. */
  most(rows: number): number
  /**
   * Tells the level of each value of rows [from, to).
   * @param places the family's columns among the block's
   * @returns the number of levels
   */
  encode(block: Block, places: readonly number[], from: number, to: number, target: CodeTarget): number
  /**
   * Log probabilities of the levels encoded last, nats.
   * @param table written to, shape (levels, pitch), of which K are used
   */
  logProbabilities(parameters: Parameters, table: Float64Array, pitch: number): void
  /**
   * Adds to `into` the statistics of the events encoded last, but for s0.
   * @param into written to
   * @param sums responsibilities by level, shape (levels, pitch)
   */
  addSums(into: Statistics, sums: Float64Array, pitch: number): void
}

/** A family whose columns can be told by levels. */
export interface LevelledFamily extends Family {
  readonly levels: Levels
}

export const isLevelled = (family: Family): family is LevelledFamily => 'levels' in family
