import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deadLetterFrom, deadLetterRecord } from './dead-letter.ts'
import { deadLetter } from './testing/arbitraries.ts'
import { textFromUtf8, utf8 } from './text.ts'

describe('a dead letter on the log', () => {
  const letter = {
    reason: 'missing-feature',
    message: 'spend: expected a number, got nothing',
    stage: 'ingest',
    topic: 'eddy.events.v1',
    partition: 2,
    offset: 41,
    key: utf8('c1'),
    value: utf8('{"customer":"c1"}'),
    headers: [{ name: 'traceparent', value: utf8('00-1-2-00') }],
  }

  it('is the original record plus Kafka Connect headers', () => {
    const record = deadLetterRecord(letter)
    expect(record.key).toBe(letter.key)
    expect(record.value).toBe(letter.value)
    expect(Object.entries(record.headers).map(([name, value]) => [name, textFromUtf8(value)])).toEqual([
      ['traceparent', '00-1-2-00'],
      ['__connect.errors.topic', 'eddy.events.v1'],
      ['__connect.errors.partition', '2'],
      ['__connect.errors.offset', '41'],
      ['__connect.errors.stage', 'ingest'],
      ['__connect.errors.exception.class.name', 'missing-feature'],
      ['__connect.errors.exception.message', 'spend: expected a number, got nothing'],
    ])
    expect(deadLetterFrom(record)).toEqual(letter)
  })

  it('round trips, tombstones and odd header names included', () => {
    fc.assert(
      fc.property(deadLetter, value => {
        const names = value.headers.map(header => header.name)
        fc.pre(new Set(names).size === names.length && !names.some(name => name.startsWith('__connect.errors.')))
        const back = deadLetterFrom(deadLetterRecord(value))
        const sorted = (headers: typeof value.headers) => [...headers].sort((a, b) => (a.name < b.name ? -1 : 1))
        expect({ ...back, headers: sorted(back.headers) }).toEqual({ ...value, headers: sorted(value.headers) })
      }),
    )
  })

  it('replaces the reason of an earlier death and cuts a long message', () => {
    const again = deadLetterRecord({
      ...letter,
      message: 'x'.repeat(5_000),
      headers: [{ name: '__connect.errors.topic', value: utf8('elsewhere') }],
    })
    expect(deadLetterFrom(again)).toMatchObject({ topic: 'eddy.events.v1', headers: [], message: 'x'.repeat(2_000) })
  })

  it('names the header that is missing or broken', () => {
    const { headers } = deadLetterRecord(letter)
    expect(() => deadLetterFrom({ key: null, value: null, headers: {} })).toThrow(
      /expected __connect\.errors\.exception\.class\.name, got none/,
    )
    const broken = { ...headers, '__connect.errors.offset': utf8('-1') }
    expect(() => deadLetterFrom({ key: null, value: null, headers: broken })).toThrow(/offset: expected a whole number/)
  })
})

describe('a dead letter that no broker would take', () => {
  const most = 900_000
  const sizeOf = ({ key, value, headers }: ReturnType<typeof deadLetterRecord>): number =>
    [key, value, ...Object.entries(headers).flat()].reduce((sum, part) => sum + (part?.length ?? 0), 0)
  const dead = { reason: 'too-large', message: 'no', stage: 'ingest', topic: 'e', partition: 1, offset: 7 }
  const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(120)

  it('is cut, and says how long the original was, and what', () => {
    const letter = { ...dead, key: utf8('c'), value: bytes(most), headers: [{ name: 'h', value: bytes(5) }] }
    const record = deadLetterRecord(letter, most)
    expect(sizeOf(record)).toBeLessThan(most / 2)
    const told = deadLetterFrom(record)
    expect(told).toMatchObject({ cutFrom: most, key: letter.key, headers: letter.headers, value: bytes(65_536) })
    const sha256 = createHash('sha256').update(letter.value).digest('hex')
    expect(told.message).toBe(`no (the original of ${most} bytes, SHA-256 ${sha256}, was cut)`)
    // One byte less, and it is kept as it is.
    expect(deadLetterFrom(deadLetterRecord({ ...letter, value: bytes(most - 9) }, most))).not.toHaveProperty('cutFrom')
  })

  it('whatever of it is large', () => {
    for (const large of [
      { key: bytes(most), value: bytes(1), headers: [] },
      { key: null, value: null, headers: [{ name: 'h', value: bytes(most) }] },
      { key: bytes(most), value: bytes(most), headers: [{ name: 'h', value: bytes(most) }] },
    ])
      expect(sizeOf(deadLetterRecord({ ...dead, ...large }, most))).toBeLessThan(most)
    expect(sizeOf(deadLetterRecord({ ...dead, key: null, value: bytes(20_000), headers: [] }, 10_000))).toBeLessThan(
      10_000,
    )
  })
})
