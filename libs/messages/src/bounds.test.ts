import { describe, expect, it } from 'vitest'
import { boundsOf, maxItems } from './bounds.ts'

const strings = boundsOf({ type: 'array', items: 'string' })
const check = (bytes: number[]) => strings(Uint8Array.from(bytes), 0)

describe('bounds of the bytes', () => {
  it('takes what Avro allows: blocks, and blocks with a size', () => {
    check([0])
    check([4, 2, 97, 0, 0])
    check([1, 4, 2, 97, 0]) // −1 item in 2 bytes
    check([2, 0, 2, 0, 0])
  })

  it.each([
    ['a count without items', [0xfe, 0xff, 0xff, 0xff, 0x0f], /expected a count of 0 … 0 items, got 2147483647/],
    ['a negative count without items', [0xfd, 0xff, 0xff, 0xff, 0x0f, 0, 0], /expected a count/],
    ['a wrong block size', [1, 6, 2, 97, 0], /expected a block of 2 bytes, got 3/],
    ['a negative length', [2, 1, 0], /expected a length of 0/],
    ['a length past the end', [2, 8, 97, 0], /expected a length of 0 … 2 bytes/],
    ['an endless number', Array(20).fill(0xff), /at most 10 bytes/],
    ['65 bits', [...Array(9).fill(0xff), 0x02], /expected 64 bits/],
    ['broken UTF-8', [2, 2, 0xff, 0], /expected UTF-8/],
    ['trailing bytes', [0, 0], /expected 1 bytes, got 2/],
    ['nothing', [], /got the end of the bytes/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => check(bytes)).toThrow(message)
  })

  it('refuses more items than a message may have, before reading them', () => {
    const bytes = new Uint8Array(maxItems + 10)
    bytes.set([0x82, 0x80, 0x08]) // 65,537 empty strings
    expect(() => strings(bytes, 0)).toThrow(/expected a count of 0 … 65536 items, got 65537/)
  })

  it('checks unions, booleans, enums, ints and nested names', () => {
    const walk = boundsOf({
      type: 'record',
      name: 'eddy.All',
      fields: [
        { name: 'u', type: ['null', 'int'] },
        { name: 'b', type: 'boolean' },
        { name: 'e', type: { type: 'enum', name: 'E', symbols: ['A', 'B'] } },
        { name: 'f', type: { type: 'fixed', name: 'F', size: 2 } },
        { name: 'again', type: 'F' },
      ],
    })
    const all = (...bytes: number[]) => walk(Uint8Array.from(bytes), 0)
    all(0, 1, 2, 9, 9, 9, 9)
    expect(() => all(4, 1, 2, 9, 9, 9, 9)).toThrow(/All\.u: expected a branch/)
    expect(() => all(0, 2, 2, 9, 9, 9, 9)).toThrow(/All\.b: expected a boolean/)
    expect(() => all(0, 1, 4, 9, 9, 9, 9)).toThrow(/All\.e: expected a symbol/)
    expect(() => all(0, 1, 2, 9, 9, 9)).toThrow(/All\.again: expected 2 bytes, got 1/)
    expect(() => all(2, 0xff, 0xff, 0xff, 0xff, 0x1f, 1, 2, 9, 9, 9, 9)).toThrow(/All\.u: expected 32 bits/)
  })

  it('refuses a schema without a bound', () => {
    expect(() => boundsOf({ type: 'map', values: 'int' })).toThrow(/expected no map/)
    expect(() => boundsOf({ type: 'array', items: 'null' })).toThrow(/at least one byte/)
    const list = { type: 'record', name: 'L', fields: [{ name: 'next', type: ['null', 'L'] }] } as const
    expect(() => boundsOf(list as never)).toThrow(/not recursive, got L/)
  })
})
