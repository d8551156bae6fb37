import { createRequire } from 'node:module'
import type { OutgoingRecord } from '@eddy/log'
import { crc32c as referenceChecksum } from '@platformatic/kafka'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32c } from './crc32c.ts'
import { decodeRecordBatches, encodeRecordBatch, encodeRecords } from './record-batch.ts'

/** kafkajs's own codec, as the reference. */
const require = createRequire(import.meta.url)
const Decoder = require('kafkajs/src/protocol/decoder.js')
const decodeReference = require('kafkajs/src/protocol/recordBatch/v0/decoder.js')

const bytes = fc.uint8Array({ maxLength: 300 })
const record: fc.Arbitrary<OutgoingRecord> = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.dictionary(fc.string({ minLength: 1, unit: 'grapheme' }), bytes, { maxKeys: 3 }),
  timestamp: fc.oneof(
    fc.integer({ min: 0, max: 2 ** 47 }),
    fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
  ),
})
/** kafkajs takes a header of such a name for a second one. */
const readable = record.filter(({ headers }) => Object.keys(headers!).every(name => !(name in {})))
const options = { producerId: 4_000_000_000_001n, producerEpoch: 7, firstSequence: 99, transactional: true, now: 5 }
const never = (): never => {
  throw new Error('expected nothing compressed')
}
const plain = ({ key, value, headers = {}, timestamp }: OutgoingRecord) => ({
  key: key && Buffer.from(key),
  value: value && Buffer.from(value),
  headers: Object.fromEntries(Object.entries(headers).map(([name, held]) => [name, Buffer.from(held)])),
  timestamp: timestamp ?? options.now,
})

describe('record batches', () => {
  it('are what kafkajs reads', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(readable, { minLength: 1, maxLength: 20 }), async records => {
        const batch = encodeRecords(records, options)
        const read = await decodeReference(new Decoder(batch))
        expect(read).toMatchObject({
          lastOffsetDelta: records.length - 1,
          firstTimestamp: `${records[0]!.timestamp}`,
          maxTimestamp: `${Math.max(...records.map(({ timestamp }) => timestamp!))}`,
          producerId: '4000000000001',
          producerEpoch: 7,
          firstSequence: 99,
          inTransaction: true,
          isControlBatch: false,
        })
        expect(
          (read.records as Record<'key' | 'value' | 'headers' | 'timestamp' | 'offset', unknown>[]).map(found => ({
            key: found.key,
            value: found.value,
            headers: found.headers,
            timestamp: Number(found.timestamp),
            offset: Number(found.offset),
          })),
        ).toEqual(records.map((sent, offset) => ({ ...plain(sent), offset })))
        expect(batch.readUInt32BE(17)).toBe(referenceChecksum(batch.subarray(21)))
      }),
      { numRuns: 300 },
    )
  })

  it('come back as they were, one after another, whatever the codec; one that was cut off is left for the next fetch', async () => {
    const flip = (held: Buffer): Buffer => Buffer.from(held.map(byte => byte ^ 0x55))
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 9 }), fc.nat(), async (records, cut) => {
        const compression = { attribute: 3, compress: async (held: Buffer) => flip(held) }
        const compressed = await encodeRecordBatch(records, { ...options, transactional: false, compression })
        const second = await encodeRecordBatch(records, options)
        second.writeBigInt64BE(500n, 0)
        const stored = Buffer.concat([compressed, second, compressed.subarray(0, cut % compressed.length)])
        const [first, last, ...rest] = await decodeRecordBatches(stored, codec => held => {
          expect(codec).toBe(3)
          return flip(held)
        })
        expect(rest).toEqual([])
        expect(first).toMatchObject({ baseOffset: 0, lastOffset: records.length - 1, transactional: false })
        expect(last).toMatchObject({
          baseOffset: 500,
          producerId: options.producerId,
          transactional: true,
          control: false,
        })
        for (const [n, base] of [first, last].map(batch => [batch!, batch!.baseOffset] as const))
          expect(n.records.map(({ headers, ...found }) => ({ ...found, headers: { ...headers } }))).toEqual(
            records.map((sent, i) => ({ ...plain(sent), offset: base + i })),
          )
      }),
      { numRuns: 300 },
    )
  })

  it('hold records without a timestamp at the time given, and may be old', () => {
    const old = { key: null, value: null, timestamp: 0 }
    const batch = encodeRecords([{ key: null, value: null }, old], { ...options, now: 1_700_000_000_000 })
    expect(batch.readBigInt64BE(27)).toBe(1_700_000_000_000n)
  })

  it('that are damaged are refused, not misread', async () => {
    const batch = encodeRecords([{ key: null, value: Buffer.alloc(50) }], options)
    const cases = fc.tuple(fc.integer({ min: 61, max: batch.length - 1 }), fc.integer({ min: 1, max: 255 }))
    await fc.assert(
      fc.asyncProperty(cases, async ([at, change]) => {
        const damaged = Buffer.from(batch)
        damaged[at]! ^= change
        const read = await decodeRecordBatches(damaged, never).catch(error => error)
        expect(read instanceof RangeError || read.length === 1).toBe(true)
      }),
      { numRuns: 500 },
    )
    batch[16] = 1
    await expect(decodeRecordBatches(batch, never)).rejects.toThrow(/expected version 2, got 1/)
  })
})

it('crc32c is the one of the standard (RFC 3720, B.4), at any length', () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
  fc.assert(
    fc.property(bytes, held => {
      expect(crc32c(held)).toBe(referenceChecksum(Buffer.from(held)))
    }),
  )
})
