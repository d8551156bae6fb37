import { describe, expect, it } from 'vitest'
import { bytesOfFloats, floatsOfBytes } from './little-endian.ts'

describe('f64 arrays as bytes', () => {
  it('are little-endian', () => {
    expect([...bytesOfFloats(Float64Array.of(1))]).toEqual([0, 0, 0, 0, 0, 0, 0xf0, 0x3f])
  })

  it('come back bit for bit from any alignment', () => {
    const values = Float64Array.of(-0, NaN, Infinity, 5e-324, 1e308)
    const shifted = new Uint8Array(values.byteLength + 3)
    shifted.set(bytesOfFloats(values), 3)
    const back = floatsOfBytes(shifted.subarray(3), 'x')
    expect(new Uint8Array(back.buffer)).toEqual(new Uint8Array(values.buffer))
  })

  it('refuse a broken length', () => {
    expect(() => floatsOfBytes(new Uint8Array(9), 'posterior')).toThrow(/posterior: expected f64 values .* got 9 bytes/)
  })
})
