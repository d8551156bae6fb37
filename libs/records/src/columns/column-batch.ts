import type { InputRecord } from '../input-record.ts'

/** Consecutive records of a table, read column by column. */
export interface ColumnBatch {
  readonly records: readonly InputRecord[]
  /** Values of a column of numbers, NaN where there is none; undefined where it has to be read record by record. */
  numbers(name: string): Float64Array | undefined
  /** Whether a record's cells must be read one by one: some number is written in a way that only `FeatureReader` judges. */
  doubtful(row: number): boolean
}

/**
 * A table by columns, from its first record on.
 * @param numeric columns that are wanted as numbers
 * @returns (at the end) false where the rest is left to the other reader of the same records: what was handed out is right
 */
export type ColumnSource = (numeric: ReadonlySet<string>) => AsyncGenerator<ColumnBatch, boolean>
