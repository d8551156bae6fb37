import { describe, expect, it } from 'vitest'
import { foreignMediaType } from './media-type.ts'

const post = (headers: Record<string, string>) => foreignMediaType({ 'content-length': '2', ...headers }, 'POST')

describe('the media type of a body', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON ;charset=UTF-8',
    'application/x-ndjson',
    'application/ndjson',
    'application/jsonl',
    'application/x-jsonl',
    'application/jsonlines',
    'application/x-jsonlines',
    'application/cloudevents+json',
  ])('is one of JSON: %s', type => {
    expect(post({ 'content-type': type })).toBeUndefined()
  })

  it.each([
    'text/plain',
    'text/plain;charset=UTF-8',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=application/json',
    'text/plain; application/json',
    'application/jsonp',
    'text/json',
    'application/octet-stream',
    'json',
    '*/*',
  ])('is refused where a form or a page could have sent it, or it is none of JSON: %s', type => {
    for (const headers of [{}, { 'sec-fetch-site': 'same-origin' }])
      expect(post({ 'content-type': type, ...headers })).toBe(
        `content-type: expected application/json or application/x-ndjson, got ${JSON.stringify(type)}; with curl, add -H 'content-type: application/json'`,
      )
  })

  it('may be missing, but not where a browser sent it: a page can send bytes without one', () => {
    expect(post({})).toBeUndefined()
    expect(post({ 'content-type': '' })).toBeUndefined()
    for (const headers of [{ 'sec-fetch-site': 'same-origin' }, { origin: 'http://127.0.0.1:7700' }]) {
      expect(post(headers)).toMatch(/^content-type: expected .*, got none/)
      expect(foreignMediaType({ 'transfer-encoding': 'chunked', ...headers }, 'DELETE')).toMatch(/got none/)
      expect(foreignMediaType(headers, 'DELETE')).toBeUndefined()
      expect(foreignMediaType({ 'content-length': '0', ...headers }, 'POST')).toBeUndefined()
    }
  })

  it('is not asked of what changes nothing', () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS'])
      expect(foreignMediaType({ 'content-type': 'text/plain' }, method)).toBeUndefined()
  })
})
