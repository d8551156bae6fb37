import { textFromUtf8, utf8 } from './text.ts'

/** Headers of a record: name → bytes. */
export type Headers = Readonly<Record<string, Uint8Array>>

/** A record's context attributes, CloudEvents 1.0. */
export interface CloudEvent {
  readonly id: string
  /** URI-reference of the producer, e.g. `/eddy/scoring` */
  readonly source: string
  /** e.g. `eddy.label` */
  readonly type: string
}

const specVersion = utf8('1.0')
const avroContent = utf8('application/avro')

/**
 * Maker of CloudEvents headers (Kafka protocol binding, binary mode) for one kind of record: only the id differs between
 * records, so the rest is encoded once and shared. With `cause`, its trace context is passed through.
 */
export function cloudEventHeaders(
  kind: Omit<CloudEvent, 'id'>,
  contentType: Uint8Array = avroContent,
): (id: string, cause?: Headers) => Record<string, Uint8Array> {
  const ce_source = utf8(kind.source)
  const ce_type = utf8(kind.type)
  return (id, cause) => {
    const headers: Record<string, Uint8Array> = {
      ce_specversion: specVersion,
      ce_id: utf8(id),
      ce_source,
      ce_type,
      'content-type': contentType,
    }
    return cause ? Object.assign(headers, traceContext(cause)) : headers
  }
}

/** The CloudEvent a record carries; undefined when `ce_id`, `ce_source` or `ce_type` is missing. */
export function cloudEventOf(headers: Headers): CloudEvent | undefined {
  const { ce_id, ce_source, ce_type } = headers
  if (!ce_id || !ce_source || !ce_type) return undefined
  return { id: textFromUtf8(ce_id), source: textFromUtf8(ce_source), type: textFromUtf8(ce_type) }
}

/** W3C Trace Context, level 1: `00-<trace id>-<parent id>-<flags>`, lower-case hexadecimal; the ids are not all zero. */
const traceparent = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/

/** The `traceparent` of a record as it came, for the one record that it becomes; undefined where it has none. */
export function handedOnTrace({ traceparent }: Headers): Headers | undefined {
  return traceparent === undefined ? undefined : { traceparent }
}

/** `traceparent` and `tracestate` of a record, for the records it causes; nothing when the former is malformed. */
export function traceContext(headers: Headers): Record<string, Uint8Array> {
  const parent = headers.traceparent
  if (!parent || parent.length > 256 || !traceparent.test(textFromUtf8(parent))) return {}
  const state = headers.tracestate
  return state && state.length <= 512 ? { traceparent: parent, tracestate: state } : { traceparent: parent }
}
