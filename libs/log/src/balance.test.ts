import fc from 'fast-check'
import { expect, test } from 'vitest'
import { balance } from './balance.ts'

test('shares differ by at most one, every partition is taken, and only what must move moves', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 6 }),
      fc.array(fc.nat(6), { minLength: 20, maxLength: 20 }),
      (p, m, any) => {
        const members = Array.from({ length: m }, (_, i) => `m${i}`)
        // Some owners have left: m6 is never a member.
        const owners = new Map(Array.from({ length: p }, (_, i) => [i, `m${any[i]}`] as const))
        const target = balance(p, members, owners)
        expect([...target.keys()].toSorted((a, b) => a - b)).toEqual(Array.from({ length: p }, (_, i) => i))
        const counts = members.map(member => [...target.values()].filter(owner => owner === member).length)
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
        for (const [i, member] of members.entries()) {
          const had = [...owners].filter(([, owner]) => owner === member).map(([partition]) => partition)
          const kept = had.filter(partition => target.get(partition) === member)
          expect(kept.length).toBe(Math.min(had.length, counts[i]!))
        }
      },
    ),
  )
})

test('without members nobody has anything', () => {
  expect(balance(3, [], new Map([[0, 'gone']]))).toEqual(new Map())
})
