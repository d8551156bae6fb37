import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addHashes, hashOffset, OffsetsHash } from './offsets-hash.ts'

function sum(pairs: readonly (readonly [number, number])[]): bigint {
  const hash = new OffsetsHash()
  for (const [partition, offset] of pairs) hash.add(partition, offset)
  return hash.value
}

describe('hash of offsets', () => {
  it('is SplitMix64: the published outputs for seed 0 at partition 0', () => {
    // mix64(0) = 0, so partition 0 is the reference sequence of seed 0 (Vigna, splitmix64.c)
    expect([0, 1, 2].map(offset => hashOffset(0, offset))).toEqual([
      0xe220a8397b1dcdafn,
      0x6e789e6aa1b965f4n,
      0x06c45d188009454fn,
    ])
  })

  it('is the same by halves as by BigInt', () => {
    const pair = fc.tuple(fc.nat({ max: 2 ** 31 - 1 }), fc.maxSafeNat())
    const run = fc.tuple(
      fc.nat({ max: 64 }),
      fc.maxSafeNat().map(n => Math.floor(n / 2)),
      fc.nat({ max: 20 }),
    )
    fc.assert(
      fc.property(fc.array(pair), fc.array(run), (pairs, runs) => {
        const all = [
          ...pairs,
          ...runs.flatMap(([p, from, n]) => Array.from({ length: n }, (_, i) => [p, from + i] as const)),
        ]
        const exact = all.reduce((total, [p, o]) => addHashes(total, hashOffset(p, o)), 0n)
        expect(sum(all)).toBe(exact)
      }),
      { numRuns: 500 },
    )
  })

  it('does not depend on order or batches, and adds', () => {
    const a = [
      [0, 1],
      [0, 2],
      [3, 7],
    ] as const
    const b = [
      [0, 3],
      [2, 7],
    ] as const
    expect(sum([...b, ...a].reverse())).toBe(sum([...a, ...b]))
    expect(addHashes(sum(a), sum(b))).toBe(sum([...a, ...b]))
    expect(sum([])).toBe(0n)
  })

  it('notices a lost, a doubled and a swapped offset', () => {
    const range = Array.from({ length: 1000 }, (_, offset) => [1, offset] as const)
    const whole = sum(range)
    expect(sum(range.slice(1))).not.toBe(whole)
    expect(sum([...range, [1, 5]])).not.toBe(whole)
    expect(sum([...range.slice(0, 999), [2, 999]])).not.toBe(whole)
    expect(sum([...range.slice(0, 999), [1, 1000]])).not.toBe(whole)
  })
})
