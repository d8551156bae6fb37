import { isBlank, linesOf } from '@eddy/records'
import { BodyError } from '@eddy/runtime'

/** An event of a body, and where it stands. */
export interface PostedEvent {
  /** from 1: its line, or in a list its place */
  readonly line: number
  readonly value: Buffer
}

/**
 * The events of a body, each byte for byte: one a line (NDJSON), or the elements of a JSON list.
 * @param most events; more are refused before they are cut apart
 * @throws {BodyError} for a list that does not end, and for too many
 */
export function postedEvents(body: Buffer, most: number): readonly PostedEvent[] {
  const text = withoutMark(body)
  const start = text.findIndex(byte => byte > 0x20)
  if (start >= 0 && text[start] === OPEN_LIST) return elementsOf(text.subarray(start), most)
  refuseMany(text, most)
  return linesOf(text).flatMap((value, i) => (isBlank(value) ? [] : [{ line: i + 1, value }]))
}

const withoutMark = (body: Buffer): Buffer =>
  body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? body.subarray(3) : body

const [QUOTE, COMMA, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN, CLOSE] = [0x22, 0x2c, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d]

/** The elements of a list that begins the text; whether each is JSON is for its reader to judge. */
function elementsOf(text: Buffer, most: number): readonly PostedEvent[] {
  const events: PostedEvent[] = []
  let [depth, start, quoted] = [0, 1, false]
  const add = (end: number): void => {
    if (events.length === most) throw tooMany(most)
    events.push({ line: events.length + 1, value: text.subarray(start, end) })
    start = end + 1
  }
  for (let at = 0; at < text.length; at++) {
    const byte = text[at]
    if (quoted) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) quoted = false
    } else if (byte === QUOTE) quoted = true
    else if (byte === OPEN || byte === OPEN_LIST) depth++
    else if (byte === COMMA && depth === 1) add(at)
    else if (byte === CLOSE || byte === CLOSE_LIST) {
      if (--depth > 0) continue
      if (events.length > 0 || !isBlank(text.subarray(start, at))) add(at)
      if (byte !== CLOSE_LIST || !isBlank(text.subarray(at + 1))) break
      return events
    }
  }
  throw new BodyError(400, 'body: expected a JSON list that ends with its last bracket, got one that does not')
}

/** Goes no further than the limit: a body of line ends would take seconds otherwise. */
function refuseMany(text: Buffer, most: number): void {
  let lines = 0
  for (let at = text.indexOf(10); at >= 0 && at < text.length - 1; at = text.indexOf(10, at + 1))
    if (++lines >= most) throw tooMany(most)
}

const tooMany = (most: number): BodyError =>
  new BodyError(413, `body: expected at most ${most} events (http.maxEventsPerRequest); send them in several requests`)
