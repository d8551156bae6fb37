import type { InputError } from './input-error.ts'

/** One record of an input, whatever its format. */
export interface InputRecord {
  /** 1-based line of the file */
  readonly line: number
  /** true when values are text that still has to be read as numbers (CSV) */
  readonly textual: boolean
  /** Names of the values it has: CSV columns, or JSON keys (but for the `weight` beside nested features). */
  names(): readonly string[]
  /** A value: undefined where the name is absent, null where the cell is empty or JSON null. */
  get(name: string): unknown
  /** How much an event counts that has its features in an object of their own; undefined where it does not say. */
  readonly weight?: unknown
  /** A value as the file writes it; undefined where it is no text and no number. */
  text(name: string): string | undefined
}

/** A row of CSV that has too few or too many cells. */
export interface RaggedRow {
  readonly line: number
  readonly cells: readonly string[]
}

/** Told why a line is no record. */
export type OnInvalid = (error: InputError, row?: RaggedRow) => void

/** Most records in one batch. */
export const batchSize = 1024
