import { describe, Refusal } from './refusal.ts'

/** 1973-03-03 and 2100-01-01, milliseconds. A number of seconds, of days or of microseconds is never between them. */
const [earliest, latest] = [1e11, 4_102_444_800_000]

/** RFC 3339 §5.6: date, time and zone, all of them. */
const rfc3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/

/**
 * Event time, or where it carries none, when it was appended; milliseconds since 1970-01-01 UTC.
 * @throws {Refusal} for a text that is not RFC 3339 (without a zone it is no point in time), and for a number that is milliseconds of no
 * plausible time: seconds would all lie in January 1970
 */
export function timeOf(time: unknown, appendedAt: number): number {
  if (time === undefined || time === null) return atAppend(appendedAt)
  const milliseconds = typeof time === 'string' ? parsed(time) : time
  if (typeof milliseconds === 'number' && milliseconds >= earliest && milliseconds < latest)
    return Math.trunc(milliseconds)
  throw new Refusal(
    'bad-time',
    `time: expected RFC 3339 with a zone (2026-01-31T12:00:00Z) or milliseconds since 1970, from 1973 to 2099, got ${describe(time)}${hint(time)}`,
  )
}

function atAppend(appendedAt: number): number {
  if (Math.abs(appendedAt) <= 8.64e15) return Math.trunc(appendedAt)
  throw new Refusal(
    'bad-time',
    `time: expected a time, as the event was appended at none that can be, got ${appendedAt}`,
  )
}

function parsed(text: string): number {
  const [, year, month, day] = rfc3339.exec(text) ?? []
  // Date.parse takes the 30th of February for the 1st of March.
  if (year === undefined || Number(day) > daysIn(Number(year), Number(month))) return Number.NaN
  return Date.parse(text.replace(' ', 'T'))
}

const daysIn = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate()

/** What the sender probably meant. */
function hint(time: unknown): string {
  if (typeof time === 'string') {
    if (/^\d+(\.\d+)?$/.test(time)) return '; a number is written without quotes'
    return /^\d{4}-\d{2}-\d{2}/.test(time) ? '; say the time of day and the zone too' : ''
  }
  if (typeof time !== 'number') return ''
  const unit = [
    ['seconds', 1e3],
    ['microseconds', 1e-3],
    ['nanoseconds', 1e-6],
  ].find(([, factor]) => time * Number(factor) >= earliest && time * Number(factor) < latest)
  return unit === undefined ? '' : `; are they ${unit[0]}? Multiply them by ${unit[1]}`
}
