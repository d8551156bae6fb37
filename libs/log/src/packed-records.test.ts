import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PackedRecords, packedSize, packRecords, seal } from './packed-records.ts'

const bytes = fc.option(fc.uint8Array({ maxLength: 40 }))
const placed = fc.record({
  key: bytes,
  value: bytes,
  headers: fc.dictionary(fc.string({ unit: 'binary', maxLength: 8 }), fc.uint8Array({ maxLength: 8 })),
  timestamp: fc.double({ noNaN: true, noDefaultInfinity: true }),
  gap: fc.integer({ min: 1, max: 5 }),
})

test('what is packed is read back, by index and by offset', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 50), fc.array(placed, { minLength: 1, maxLength: 30 }), (base, drafts) => {
      let offset = base - 1
      const records = drafts.map(({ gap, ...record }) => {
        offset += gap
        return { ...record, offset }
      })
      const batch = PackedRecords.open(
        base,
        seal(packRecords(base, records, { offsets: records.map(({ offset }) => offset) })),
      )
      expect(batch.bytes.length).toBe(12 + records.reduce((sum, record) => sum + packedSize(record), 0))
      expect(batch.count).toBe(records.length)
      for (const [i, { key, value, headers, timestamp, offset }] of records.entries()) {
        const read = batch.recordAt(i)
        expect({ ...read.headers }).toEqual({ ...headers })
        expect([read.key, read.value, read.timestamp, read.offset]).toEqual([key, value, timestamp, offset])
        expect(batch.indexOf(offset)).toBe(i)
        expect(batch.indexOf(offset + 1)).toBe(i + 1)
      }
    }),
  )
})

test('a flipped bit anywhere is noticed', () => {
  const packed = seal(packRecords(0, [{ key: Buffer.from('key'), value: Buffer.from('value'), timestamp: 1 }]))
  for (let bit = 0; bit < packed.length * 8; bit++) {
    const damaged = Uint8Array.from(packed)
    damaged[bit >> 3]! ^= 1 << (bit & 7)
    expect(() => PackedRecords.open(0, damaged)).toThrow(RangeError)
  }
  for (let length = 0; length < packed.length; length++)
    expect(() => PackedRecords.open(0, Uint8Array.from(packed.subarray(0, length)))).toThrow(RangeError)
})
