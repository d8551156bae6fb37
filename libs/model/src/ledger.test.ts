import { hashOffset } from '@eddy/messages'
import { describe, expect, it } from 'vitest'
import { extend, type LearnedRange, type Ledger, ledgerEntries, nextOffset } from './ledger.ts'

const range = (partition: number, from: number, to: number): LearnedRange => {
  let offsetsHash = 0n
  for (let offset = from; offset < to; offset++)
    offsetsHash = (offsetsHash + hashOffset(partition, offset)) % (1n << 64n)
  return { partition, from, to, events: to - from, offsetsHash }
}
const fold = (ledger: Ledger | undefined, next: LearnedRange): Ledger | undefined =>
  ledger === undefined ? undefined : extend(ledger, next)
const empty: Ledger = new Map()

describe('ledger', () => {
  it('accepts ranges that begin where it ends, whatever their boundaries', () => {
    const once = fold(empty, range(0, 0, 100))
    const thrice = [range(0, 0, 7), range(0, 7, 60), range(0, 60, 100)].reduce<Ledger | undefined>(fold, empty)
    expect(ledgerEntries(thrice as Ledger)).toEqual(ledgerEntries(once as Ledger))
    expect(nextOffset(once as Ledger, 0)).toBe(100)
  })

  it('hashes every offset that was learned, and no other', () => {
    const ledger = [range(0, 0, 7), range(1, 0, 5), range(0, 7, 60)].reduce<Ledger | undefined>(fold, empty) as Ledger
    const hash = (partition: number) => ledger.get(partition)?.offsetsHash
    expect([hash(0), hash(1)]).toEqual([range(0, 0, 60).offsetsHash, range(1, 0, 5).offsetsHash])
    // Of so many hashes some sums are beyond 64 bits, where a snapshot has no room for them.
    expect(hash(0)).toBeLessThan(1n << 64n)
  })

  it('refuses duplicates, overlaps, gaps and empty ranges', () => {
    const ledger = fold(empty, range(0, 0, 10)) as Ledger
    for (const wrong of [range(0, 0, 10), range(0, 5, 15), range(0, 11, 12), range(0, 10, 10)])
      expect(extend(ledger, wrong)).toBeUndefined()
  })

  it('keeps partitions apart and lists them in order', () => {
    const ledger = [range(2, 0, 3), range(0, 0, 5)].reduce<Ledger | undefined>(fold, empty) as Ledger
    expect(ledgerEntries(ledger).map(({ partition, next }) => [partition, next])).toEqual([
      [0, 5],
      [2, 3],
    ])
  })
})
