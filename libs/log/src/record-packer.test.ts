import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LogError } from './event-log.ts'
import { packRecords } from './packed-records.ts'
import { RecordPacker } from './record-packer.ts'
import { packed } from './testing/packed.ts'

const drafts = fc.array(
  fc.record({
    key: fc.uint8Array({ maxLength: 50 }),
    value: fc.uint8Array({ maxLength: 50 }),
    headers: fc.option(fc.dictionary(fc.string({ maxLength: 4 }), fc.uint8Array({ maxLength: 8 })), { nil: undefined }),
    timestamp: fc.integer({ min: -1e12, max: 1e12 }),
    dropped: fc.boolean(),
  }),
  { minLength: 1, maxLength: 600 },
)
const packer = new RecordPacker()

test('what is packed one by one has the bytes of what is packed at once; what is not closed is dropped', () => {
  fc.assert(
    fc.property(drafts, all => {
      packer.clear(all.length)
      for (const { key, value, headers, timestamp, dropped } of all) {
        packer.open(timestamp, Buffer.concat([value, key]), value.length, value.length + key.length)
        const end = packer.write(value, 0, value.length)
        if (!dropped) packer.close(end, headers)
      }
      const records = all
        .filter(({ dropped }) => !dropped)
        .map(({ dropped: _, headers, ...record }) => (headers === undefined ? record : { ...record, headers }))
      const publication = packer.finish('topic', 3)
      if (records.length === 0) {
        expect(publication).toBeUndefined()
        return
      }
      expect(publication?.packed.bytes).toEqual(packRecords(0, records))
      expect(publication?.newest).toBe(Math.max(...records.map(({ timestamp }) => timestamp)))
      expect(
        publication?.records.map(({ key, value, timestamp, partition }) => ({ key, value, timestamp, partition })),
      ).toEqual(records.map(({ key, value, timestamp }) => ({ key, value, timestamp, partition: 3 })))
      expect(publication?.records.map(({ headers = {} }) => ({ ...headers }))).toEqual(
        records.map(record => ({ ...('headers' in record ? record.headers : {}) })),
      )
    }),
  )
})

test('a record may take the key and the time of another, packed or not', () => {
  const source = { key: Buffer.from('key'), value: Buffer.from('old'), headers: {}, offset: 0, timestamp: 7 }
  for (const record of [source, ...packed([source], 5)]) {
    packer.clear(1)
    expect(packer.openLike(record)).toBe(true)
    packer.close(packer.write(Buffer.from('new'), 0, 3))
    expect(packer.openLike({ ...source, key: null })).toBe(false)
    expect(packer.openLike(packed([{ ...source, key: null }], 0)[0]!)).toBe(false)
    const records = packer.finish('topic', 0)?.records
    expect(records).toEqual([
      {
        key: Uint8Array.from(Buffer.from('key')),
        value: Uint8Array.from(Buffer.from('new')),
        timestamp: 7,
        partition: 0,
      },
    ])
  }
})

test('what was finished stays as it is, whatever is packed after it, in the same chunk and the next ones', () => {
  const finished = Array.from({ length: 50 }, (_, n) => {
    packer.clear(40)
    // Some keep fewer records than there was room for, some outgrow their chunk, some are given up.
    for (let i = 0; i < 40 - (n % 3); i++) {
      const value = Buffer.alloc(1 + ((n * 3571 + i * 977) % 4000), n)
      packer.open(n, value, 0, 1)
      packer.close(packer.write(value, 0, value.length))
    }
    if (n % 7 === 6) return { n, publication: undefined }
    return { n, publication: packer.finish('topic', 0)! }
  })
  for (const { n, publication } of finished) {
    if (publication === undefined) continue
    expect(publication.records.length).toBe(40 - (n % 3))
    for (const [i, { key, value, timestamp }] of publication.records.entries()) {
      expect([key, timestamp]).toEqual([Uint8Array.of(n), n])
      expect(value).toEqual(new Uint8Array(1 + ((n * 3571 + i * 977) % 4000)).fill(n))
    }
  }
})

test('more records than were told, and any after the end, are refused', () => {
  const one = (): void => {
    packer.open(0, Buffer.from('key'), 0, 3)
    packer.close(packer.write(Buffer.from('value'), 0, 5))
  }
  packer.clear(1)
  one()
  expect(one).toThrow(LogError)
  expect(packer.finish('topic', 0)?.records.length).toBe(1)
  expect(one).toThrow(LogError)
  expect(packer.finish('topic', 0)).toBeUndefined()
})

test('a time that is no number is refused', () => {
  expect(() => packer.open(Number.NaN, new Uint8Array(), 0, 0)).toThrow(LogError)
})
