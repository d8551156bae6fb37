import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assignment } from './assignment.ts'

const permutations = (n: number): number[][] =>
  n === 0
    ? [[]]
    : permutations(n - 1).flatMap(p => Array.from({ length: n }, (_, i) => [...p.slice(0, i), n - 1, ...p.slice(i)]))

test('assignment has the largest sum of all', () => {
  fc.assert(
    fc.property(
      fc
        .integer({ min: 1, max: 5 })
        .chain(n =>
          fc.tuple(
            fc.constant(n),
            fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: n * n, maxLength: n * n }),
          ),
        ),
      ([n, values]) => {
        const total = (columns: Iterable<number>) =>
          [...columns].reduce((sum, column, row) => sum + values[row * n + column]!, 0)
        const found = assignment(Float64Array.from(values), n)
        expect([...found].toSorted((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i))
        expect(total(found)).toBeCloseTo(Math.max(...permutations(n).map(total)), 9)
      },
    ),
  )
})
