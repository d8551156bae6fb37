import fc from 'fast-check'
import { expect, it } from 'vitest'
import { LongReader, longRoom, writeLong } from './varint.ts'

it('every safe integer comes back, in the bytes Avro defines', () => {
  const edges = [0, -1, 1, 63, 64, -64, -65, 2 ** 27, 2 ** 27 - 1, -(2 ** 27), 2 ** 31, 2 ** 53 - 1, -(2 ** 53 - 1)]
  const check = (value: number) => {
    const bytes = new Uint8Array(longRoom)
    const end = writeLong(bytes, 0, value)
    const expected: number[] = []
    for (let raw = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n)); ; raw >>= 7n) {
      expected.push(Number(raw & 0x7fn) | (raw > 0x7fn ? 0x80 : 0))
      if (raw <= 0x7fn) break
    }
    expect([...bytes.subarray(0, end)]).toEqual(expected)
    const reader = new LongReader()
    expect(reader.read(bytes, 0, 'x')).toBe(value)
    expect(reader.at).toBe(end)
  }
  edges.forEach(check)
  fc.assert(fc.property(fc.maxSafeInteger(), check), { numRuns: 2_000 })
})

it('refuses the end and what a number cannot hold', () => {
  const reader = new LongReader()
  expect(() => reader.read(Uint8Array.of(0x80, 0x80), 0, 'time')).toThrow(/time: .* got the end of the bytes/)
  expect(() => reader.read(new Uint8Array(12).fill(0xff), 0, 'time')).toThrow(/time: .* got a larger one/)
  // 2^53
  expect(() => reader.read(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20), 0, 'time')).toThrow(/larger/)
})
