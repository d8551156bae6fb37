import type { FeatureType } from '@eddy/mixture'
import { booleanOf, saysMissing } from './feature-columns.ts'
import { InputError } from './input-error.ts'
import type { InputRecord } from './input-record.ts'
import { hasColumns, type ReadOptions, type Records, readRecords } from './records.ts'

/** An event as it is produced: what topic `eddy.events.v1` and `POST /v1/events` take. Features are not checked yet. */
export interface InputEvent {
  readonly customer: unknown
  readonly time?: unknown
  readonly weight?: unknown
  readonly features: Readonly<Record<string, unknown>>
}

export interface EventOptions extends ReadOptions {
  /** name of the value that identifies the customer, default `customer` */
  readonly key?: string | undefined
  /** name of the value that is the event's time, default `time` */
  readonly time?: string | undefined
  /** features to pick, in order; every other value of the record if absent */
  readonly features?: readonly string[] | undefined
  /** how the cells of CSV are to be read; as what they look like where a name is absent */
  readonly types?: ReadonlyMap<string, FeatureType> | undefined
}

/** An event, the line it came from, and its record. */
export interface ReadEvent {
  readonly line: number
  readonly record: InputRecord
  readonly event: InputEvent
}

/**
 * Reads events batch by batch, from a file (`-` is standard input) or from records opened already: JSON objects `{customer, time?, weight?, features}`, or flat rows (CSV columns, flat JSON).
 * CSV text that is a number or true/false becomes one; an empty cell is left out.
 * @throws InputError when a line is malformed or the key is missing from the columns
 */
export async function* readEvents(
  source: string | Records,
  options: EventOptions = {},
): AsyncGenerator<readonly ReadEvent[]> {
  const key = options.key ?? 'customer'
  const time = options.time ?? 'time'
  const records = typeof source === 'string' ? await readRecords(source, options) : source
  let checked = false
  for await (const batch of records.batches) {
    if (!checked) {
      const names = batch[0]!.names()
      if (hasColumns(records) && !names.includes(key)) {
        throw new InputError(
          `${records.name}: expected a column "${key}" that identifies the customer, got ${names.join(', ')}. Name it with --key.`,
        )
      }
      checked = true
    }
    yield batch.map(record => ({ line: record.line, record, event: eventOf(record, key, time, options) }))
  }
  if (!checked) throw new InputError(`${records.name}: expected at least one record, got none.`)
}

function eventOf(
  record: InputRecord,
  key: string,
  time: string,
  { features: wanted, types }: EventOptions,
): InputEvent {
  // A name among the features is one, whatever it is called.
  const own = (name: string): boolean => wanted?.includes(name) !== true
  const names =
    wanted ?? record.names().filter(name => name !== key && name !== time && name !== 'weight' && name !== '')
  const features: [string, unknown][] = []
  for (const name of names) {
    const value = featureOf(record, name, types?.get(name))
    if (value !== undefined && value !== null) features.push([name, value])
  }
  const at = own(time) ? record.get(time) : undefined
  const weight = record.weight ?? (own('weight') ? record.get('weight') : undefined)
  const given = record.get(key)
  // An id that a double cannot hold keeps its digits.
  const customer = typeof given === 'number' && !Number.isSafeInteger(given) ? record.text(key) : given
  return {
    customer: customer ?? null,
    ...(at === undefined || at === null ? {} : { time: record.textual ? typed(at as string) : at }),
    ...(weight === undefined || weight === null ? {} : { weight: record.textual ? typed(weight as string) : weight }),
    features: Object.fromEntries(features),
  }
}

/** A feature as JSON; undefined or null where it is missing. What is none of its type stays as it is: ingest refuses it by name. */
function featureOf(record: InputRecord, name: string, type: FeatureType | undefined): unknown {
  const value = record.get(name)
  if (!record.textual || typeof value !== 'string' || type === 'category') return value
  if (saysMissing(record, value)) return type === undefined ? value : undefined
  return type === 'boolean' ? (booleanOf(record, value) ?? value) : typed(value)
}

/** What a CSV cell means in JSON. */
function typed(cell: string): unknown {
  if (/^(true|True|TRUE|false|False|FALSE)$/.test(cell)) return cell.toLowerCase() === 'true'
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(cell) ? Number(cell) : cell
}
