import { InputError } from './input-error.ts'
import { type InputRecord, type ReadOptions, type Records, readRecords } from './records.ts'

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
}

/** An event and the line it came from. */
export interface ReadEvent {
  readonly line: number
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
      if (batch[0]!.textual && !names.includes(key)) {
        throw new InputError(
          `${records.name}: expected a column "${key}" that identifies the customer, got ${names.join(', ')}. Name it with --key.`,
        )
      }
      checked = true
    }
    yield batch.map(record => ({ line: record.line, event: eventOf(record, key, time, options.features) }))
  }
  if (!checked) throw new InputError(`${records.name}: expected at least one record, got none.`)
}

function eventOf(record: InputRecord, key: string, time: string, wanted: readonly string[] | undefined): InputEvent {
  const names =
    wanted ?? record.names().filter(name => name !== key && name !== time && name !== 'weight' && name !== '')
  const features: [string, unknown][] = []
  for (const name of names) {
    const value = record.get(name)
    if (value !== undefined && value !== null) features.push([name, record.textual ? typed(value as string) : value])
  }
  const at = record.get(time)
  const weight = record.get('weight')
  const customer = record.get(key)
  return {
    customer: customer ?? null,
    ...(at === undefined || at === null ? {} : { time: record.textual ? typed(at as string) : at }),
    ...(weight === undefined || weight === null ? {} : { weight: record.textual ? typed(weight as string) : weight }),
    features: Object.fromEntries(features),
  }
}

/** What a CSV cell means in JSON. */
function typed(cell: string): unknown {
  if (cell === 'true' || cell === 'false') return cell === 'true'
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(cell) ? Number(cell) : cell
}
