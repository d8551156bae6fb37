import type { Readable } from 'node:stream'
import type { FeatureType } from '@eddy/mixture'
import type { ColumnBatch } from './columns/column-batch.ts'
import { type FeatureColumn, FeatureReader, missingFeatures } from './feature-columns.ts'
import { InputError, shown } from './input-error.ts'
import type { InputRecord } from './input-record.ts'
import { type ColumnPlan, planColumns, plannedFeatures } from './plan-columns.ts'
import { hasColumns, type InputFormat, queryRecords, type Records, readRecords } from './records.ts'

export interface FeatureOptions {
  /** in the order of the feature vector; if absent, those of a plan: see `planColumns` */
  readonly features?: readonly FeatureColumn[] | undefined
  /** without `features`: types of columns that are no plain numbers */
  readonly types?: ReadonlyMap<string, FeatureType> | undefined
  /** without `features`: told the plan, once the first batch has been read */
  readonly onPlan?: ((plan: ColumnPlan) => void) | undefined
  /** one more column, after the features: what they are to predict */
  readonly label?: FeatureColumn | undefined
  /** name of the value that holds an event's weight, which is no feature then; if absent, `weight` of events with nested features */
  readonly weight?: string | undefined
  /** leave out records with a wrong value instead of failing; each is told to `onSkip` */
  readonly skipInvalid?: boolean | undefined
  readonly onSkip?: ((error: InputError) => void) | undefined
  readonly format?: InputFormat | undefined
  /** instead of a path: a query of DuckDB's SQL */
  readonly query?: string | undefined
  readonly stdin?: Readable | undefined
}

/** Some records as rows of a matrix. */
export interface FeatureRows {
  readonly rows: number
  /** shape (rows, d), row-major; NaN where missing */
  readonly values: Float64Array
  /** shape (rows) */
  readonly weights: Float64Array
  /** the records behind the rows */
  readonly records: readonly InputRecord[]
}

/** An input as batches of rows. `columns` is known once the first batch has been read. */
export interface FeatureStream {
  readonly records: Records
  columns(): readonly FeatureColumn[]
  readonly batches: AsyncIterable<FeatureRows>
}

/** Columns that are no features unless asked for. */
const roles: readonly (readonly [string, string])[] = [
  ['customer', 'names the customer'],
  ['time', 'tells when'],
]

/**
 * Reads features as numbers, batch by batch.
 * @throws InputError naming file, line and column; for a feature that no record has, what the records do have
 */
export async function streamFeatures(path: string, options: FeatureOptions = {}): Promise<FeatureStream> {
  const { format, query, stdin, skipInvalid, onSkip } = options
  let left = 0
  const onInvalid = (error: InputError): void => {
    if (!skipInvalid) throw error
    left++
    onSkip?.(error)
  }
  const records = query === undefined ? await readRecords(path, { format, stdin, onInvalid }) : queryRecords(query)
  let readers: readonly FeatureReader[] = []
  return {
    records,
    columns: () => readers.map(reader => categorised(reader)),
    batches: rowsOf(),
  }

  async function* rowsOf(): AsyncGenerator<FeatureRows> {
    let seen: readonly string[] = []
    let rows = 0
    /** Records that were read by columns: the next ones are not to be read again. */
    let done = 0
    for await (const batch of records.batches) {
      if (readers.length === 0) {
        seen = batch[0]!.names()
        readers = readersOf(batch, records, options)
        if (left === 0) {
          const read = yield* readByColumns(records, readers, options)
          rows += read.rows
          done = read.records
          if (read.whole) break
        }
      }
      const skipped = Math.min(done, batch.length)
      done -= skipped
      const read = readBatch(batch.slice(skipped), readers, records.name, options)
      rows += read.rows
      if (read.rows > 0) yield read
    }
    if (rows === 0) throw noRecords(records)
    const missing = readers.filter(reader => !reader.present).map(reader => reader.column.name)
    if (missing.length > 0) throw missingFeatures(records.name, missing, seen)
  }
}

function noRecords({ name, format }: Records): InputError {
  return new InputError(
    `${name}: expected at least one record, got none${format === 'csv' ? ' below the header line' : ''}.`,
  )
}

function categorised({ column, categories }: FeatureReader): FeatureColumn {
  return column.type === 'category' ? { ...column, values: categories } : column
}

function readersOf(batch: readonly InputRecord[], records: Records, options: FeatureOptions): readonly FeatureReader[] {
  const file = records.name
  const { features, label } = options
  const names = batch[0]!.names()
  const columns = features ?? planned(batch, records, options)
  if (columns.length === 0) throw missingFeatures(file, ['…'], names)
  const wanted = label ? [...columns, label] : columns
  const { weight } = options
  if (weight !== undefined && hasColumns(records) && !names.includes(weight))
    throw missingFeatures(file, [weight], names)
  const missing = hasColumns(records) ? wanted.filter(({ name }) => !names.includes(name)).map(({ name }) => name) : []
  if (missing.length > 0) throw missingFeatures(file, missing, names)
  return wanted.map(column => new FeatureReader(column, file))
}

function planned(batch: readonly InputRecord[], records: Records, options: FeatureOptions): readonly FeatureColumn[] {
  const { label, weight, types, onPlan } = options
  const plan = planColumns(batch, {
    types,
    roles: new Map([
      ...roles,
      ...(weight === undefined ? [] : [[weight, 'says how much an event counts'] as const]),
      ...(label === undefined ? [] : [[label.name, 'is predicted'] as const]),
    ]),
    reasons: new Map([
      ['weight', 'how much an event counts, or what it weighs? Name it with --weight, or among --features'],
    ]),
  })
  const known = plan.columns.map(({ name }) => name)
  const unknown = [...(types?.keys() ?? [])].filter(name => !known.includes(name))
  if (unknown.length > 0 && hasColumns(records)) throw missingFeatures(records.name, unknown, known)
  onPlan?.(plan)
  // A key that only later records have is learned all the same where its type was given.
  return [...plannedFeatures(plan), ...unknown.map(name => ({ name, type: types!.get(name)! }))]
}

function readBatch(
  batch: readonly InputRecord[],
  readers: readonly FeatureReader[],
  file: string,
  options: FeatureOptions,
): FeatureRows {
  const columns = readers.length
  const values = new Float64Array(batch.length * columns)
  const weights = new Float64Array(batch.length).fill(1)
  const records: InputRecord[] = []
  for (const record of batch) {
    const row = records.length
    try {
      for (let j = 0; j < columns; j++) values[row * columns + j] = readers[j]!.read(record)
      weights[row] = weightOf(record, options.weight, file)
      records.push(record)
    } catch (error) {
      if (!options.skipInvalid || !(error instanceof InputError)) throw error
      options.onSkip?.(error)
    }
  }
  const rows = records.length
  return { rows, values: values.subarray(0, rows * columns), weights: weights.subarray(0, rows), records }
}

function weightOf(record: InputRecord, column: string | undefined, file: string): number {
  const name = column ?? 'weight'
  const value = column === undefined ? record.weight : record.get(column)
  if (value === undefined || value === null) return 1
  const weight = record.textual ? Number(value) : value
  if (typeof weight === 'number' && weight > 0 && weight <= 1e9) return weight
  throw new InputError(
    `${file}:${record.line}: ${name}: expected a weight above 0 and at most 1e9, got ${shown(value)}.`,
  )
}

/** @returns how many records were read, how many rows they gave, and whether those were all: the others are to be read one by one */
async function* readByColumns(
  records: Records,
  readers: readonly FeatureReader[],
  options: FeatureOptions,
): AsyncGenerator<FeatureRows, { readonly records: number; readonly rows: number; readonly whole: boolean }> {
  const read = { records: 0, rows: 0 }
  if (records.columns === undefined) return { ...read, whole: false }
  const numeric = readers.filter(reader => reader.numeric).map(reader => reader.column.name)
  const batches = records.columns(new Set(numeric))
  try {
    for (let next = await batches.next(); ; next = await batches.next()) {
      if (next.done) return { ...read, whole: next.value }
      const batch = next.value
      let rows = readColumns(batch, readers, records.name, options)
      if (rows === undefined) {
        // Of CSV the other reader knows the line.
        if (records.format === 'csv') return { ...read, whole: false }
        rows = readBatch(batch.records, readers, records.name, options)
      }
      read.records += batch.records.length
      read.rows += rows.rows
      if (rows.rows > 0) yield rows
    }
  } finally {
    await batches.return(true)
  }
}

/** @returns undefined where a value is wrong */
function readColumns(
  batch: ColumnBatch,
  readers: readonly FeatureReader[],
  file: string,
  options: FeatureOptions,
): FeatureRows | undefined {
  const { records } = batch
  const columns = readers.length
  const values = new Float64Array(records.length * columns)
  const weights = new Float64Array(records.length).fill(1)
  try {
    const doubtful = records.map((_, n) => batch.doubtful(n))
    for (const [j, reader] of readers.entries()) {
      const numbers = reader.numeric ? batch.numbers(reader.column.name) : undefined
      for (const [n, record] of records.entries()) {
        const number = numbers === undefined || doubtful[n] ? reader.read(record) : numbers[n]!
        if (numbers !== undefined && !reader.accepts(number)) return undefined
        values[n * columns + j] = number
      }
    }
    if (options.weight !== undefined)
      for (const [n, record] of records.entries()) weights[n] = weightOf(record, options.weight, file)
  } catch (error) {
    if (error instanceof InputError) return undefined
    throw error
  }
  return { rows: records.length, values, weights, records }
}

/** A whole input in memory, as numbers only. */
export interface FeatureMatrix {
  readonly columns: readonly FeatureColumn[]
  readonly rows: number
  /** shape (rows, d), row-major; NaN where missing */
  readonly values: Float64Array
  /** shape (rows) */
  readonly weights: Float64Array
}

/**
 * Reads a whole input into a growing array (8 bytes a value; never the records themselves). Categories are coded in
 * the order of their names, so that the order of the rows does not matter.
 */
export async function readFeatures(path: string, options: FeatureOptions = {}): Promise<FeatureMatrix> {
  return collectFeatures(await streamFeatures(path, options))
}

/** The rest of a stream as one matrix. */
export async function collectFeatures(stream: FeatureStream): Promise<FeatureMatrix> {
  let values = new Float64Array(0)
  let weights = new Float64Array(0)
  let rows = 0
  let columns = 0
  for await (const batch of stream.batches) {
    columns = stream.columns().length
    const needed = rows + batch.rows
    if (needed > weights.length) {
      const room = Math.max(needed, Math.ceil(weights.length * 1.5), 4096)
      values = grown(values, room * columns)
      weights = grown(weights, room)
    }
    values.set(batch.values, rows * columns)
    weights.set(batch.weights, rows)
    rows = needed
  }
  const matrix = {
    columns: stream.columns(),
    rows,
    values: values.subarray(0, rows * columns),
    weights: weights.subarray(0, rows),
  }
  return sortCategories(matrix)
}

function grown(array: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(length)
  larger.set(array)
  return larger
}

/** Writes to the matrix's values. */
function sortCategories(matrix: FeatureMatrix): FeatureMatrix {
  const width = matrix.columns.length
  const columns = matrix.columns.map((column, j) => {
    if (!column.values) return column
    const sorted = [...column.values].sort()
    const codes = column.values.map(value => sorted.indexOf(value))
    if (codes.every((code, i) => code === i)) return column
    for (let i = j; i < matrix.values.length; i += width) {
      const code = matrix.values[i]!
      if (!Number.isNaN(code)) matrix.values[i] = codes[code]!
    }
    return { ...column, values: sorted }
  })
  return { ...matrix, columns }
}
