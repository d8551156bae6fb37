import type { IncomingHttpHeaders } from 'node:http'

/** Methods of requests that change nothing. */
export const changesNothing: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** What an answer 415 names in its header `Accept` (RFC 9110, section 15.5.16). */
export const acceptedMediaTypes = 'application/json, application/x-ndjson'

const jsonTypes = /^application\/(json|(x-)?(ndjson|jsonl|jsonlines)|[\w.-]+\+json)$/i

/**
 * Why a body is refused for its media type; undefined where it may pass. A page of any site can have a browser send form encodings, plain
 * text, or bytes without a type, and nobody asks first whether it may; of any other type the browser asks, and gets no leave here.
 */
export function foreignMediaType(headers: IncomingHttpHeaders, method: string): string | undefined {
  if (changesNothing.has(method)) return undefined
  const { 'content-type': type = '' } = headers
  if (jsonTypes.test(type.split(';')[0]!.trim())) return undefined
  if (type === '' && !(hasBody(headers) && fromBrowser(headers))) return undefined
  const got = type === '' ? 'none' : JSON.stringify(type)
  return `content-type: expected application/json or application/x-ndjson, got ${got}; with curl, add -H 'content-type: application/json'`
}

const hasBody = (headers: IncomingHttpHeaders): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

/** Whether a page in a browser asks: only a browser sends these, and no page can keep it from it. */
const fromBrowser = ({ origin, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean =>
  origin !== undefined || site !== undefined
