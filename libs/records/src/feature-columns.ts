import { largestMagnitude } from '@eddy/messages'
import { describeType, type FeatureType } from '@eddy/mixture'
import { InputError, shown } from './input-error.ts'
import type { InputRecord } from './input-record.ts'

/** A feature: which value of a record it is, and how that becomes a number. */
export interface FeatureColumn {
  readonly name: string
  readonly type: FeatureType
  /** categories in the order of their codes 0, 1, …; absent while they are still being collected */
  readonly values?: readonly string[] | undefined
}

/** Reads a feature of a record as a number; NaN where it is missing. Collects categories it is not given. */
export class FeatureReader {
  readonly column: FeatureColumn
  readonly #file: string
  readonly #codes: Map<string, number>
  readonly #closed: boolean
  #present = false

  constructor(column: FeatureColumn, file: string) {
    this.column = column
    this.#file = file
    this.#closed = column.values !== undefined
    this.#codes = new Map((column.values ?? []).map((value, code) => [value, code]))
  }

  /** whether any record had a value of this name */
  get present(): boolean {
    return this.#present
  }

  /** Whether its values are numbers, which a column of numbers can stand for. */
  get numeric(): boolean {
    return describeType(this.column.type).written === 'number'
  }

  /** A number as the feature's value. @returns whether it can be: else the record must be read, which says what is wrong */
  accepts(number: number): boolean {
    this.#present = true
    const { accepts, given } = describeType(this.column.type)
    if (Number.isNaN(number)) return given !== true
    return Math.abs(number) <= largestMagnitude && accepts(number)
  }

  /** categories in the order of their codes */
  get categories(): readonly string[] {
    return [...this.#codes.keys()]
  }

  /** @throws InputError naming file, line and feature */
  read(record: InputRecord): number {
    const value = record.get(this.column.name)
    const { written, expected, given } = describeType(this.column.type)
    if (value !== undefined) this.#present = true
    if (value === undefined || value === null || (written !== 'name' && saysMissing(record, value))) {
      if (given)
        throw new InputError(`${this.#file}:${record.line}: ${this.column.name}: expected ${expected}, got none.`)
      return Number.NaN
    }
    switch (written) {
      case 'name':
        return this.#category(record, value)
      case 'truth': {
        const truth = booleanOf(record, value)
        if (truth === undefined) throw this.#refuse(record, expected, value)
        return Number(truth)
      }
      case 'number':
        return this.#number(record, value)
    }
  }

  #number(record: InputRecord, value: unknown): number {
    const number = record.textual ? numeralOf(value as string) : value
    if (typeof number !== 'number' || Number.isNaN(number)) throw this.#refuse(record, 'a number', value)
    if (!(Math.abs(number) <= largestMagnitude)) {
      throw this.#refuse(record, `a number of ±${largestMagnitude}`, value)
    }
    const { accepts, expected } = describeType(this.column.type)
    if (!accepts(number)) throw this.#refuse(record, expected, value)
    return number
  }

  #category(record: InputRecord, value: unknown): number {
    if (typeof value === 'object') throw this.#refuse(record, 'a category (text)', value)
    const text = String(value)
    const known = this.#codes.get(text)
    if (known !== undefined) return known
    if (this.#closed) throw this.#refuse(record, `one of ${this.categories.map(shown).join(', ')}`, value)
    if (this.#codes.size >= 10_000) throw this.#refuse(record, 'at most 10,000 different categories', value)
    this.#codes.set(text, this.#codes.size)
    return this.#codes.size - 1
  }

  #refuse(record: InputRecord, expected: string, value: unknown): InputError {
    const next =
      record.textual && typeof value === 'string' && /^-?\d+,\d+$/.test(value)
        ? ' Use a decimal point.'
        : ' Leave it empty if it is missing.'
    return new InputError(
      `${this.#file}:${record.line}: ${this.column.name}: expected ${expected}, got ${shown(value)}.${next}`,
    )
  }
}

/** Decimal text → number; NaN for anything else ('', hexadecimal, text). 'Infinity' gives Infinity. */
export function numeralOf(text: string): number {
  const number = Number(text)
  // Number() also reads 0x1f, 0b1 and 0o7, which no CSV means.
  return text.length > 2 && text.charCodeAt(0) === 0x30 && text.charCodeAt(1) > 0x39 && !/^0[eE]/.test(text)
    ? Number.NaN
    : number
}

/** Whether a cell of text says that its number, count or truth is missing, as spreadsheets, R, SQL and Python do. */
export const saysMissing = ({ textual }: Pick<InputRecord, 'textual'>, value: unknown): boolean =>
  textual && typeof value === 'string' && /^(#?n\/a|na|null|none)$/i.test(value)

/** True or false as JSON, numbers and (in text) Python, R and spreadsheets write it; undefined for anything else. */
export function booleanOf({ textual }: Pick<InputRecord, 'textual'>, value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value
  if (value === 1 || (textual && (value === '1' || /^(true|True|TRUE)$/.test(String(value))))) return true
  if (value === 0 || (textual && (value === '0' || /^(false|False|FALSE)$/.test(String(value))))) return false
  return undefined
}

/** The error for features that no record has. */
export function missingFeatures(file: string, missing: readonly string[], existing: readonly string[]): InputError {
  const which = missing.map(name => `"${name}"`).join(', ')
  return new InputError(
    `${file}: expected the feature${missing.length > 1 ? 's' : ''} ${which}, got records with ${existing.join(', ') || 'nothing'}. Correct the name where it is given, or the file.`,
  )
}
