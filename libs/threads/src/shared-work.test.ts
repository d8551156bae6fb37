import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { allocate, componentsOfThread, rowsOfThread, viewsOf } from './shared-work.ts'

const threads = fc.integer({ min: 1, max: 9 })

describe('parts', () => {
  it('are all of it, in order, and differ by one unit at most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5000 }), threads, (count, threads) => {
        for (const [of, unit] of [
          [rowsOfThread, 64],
          [componentsOfThread, 1],
        ] as const) {
          const parts = Array.from({ length: threads }, (_, i) => of(count, i, threads))
          expect(parts[0]!.from).toBe(0)
          expect(parts.at(-1)!.to).toBe(count)
          for (const [i, { from, to }] of parts.entries()) {
            expect(to).toBe(parts[i + 1]?.from ?? count)
            expect(from % unit === 0 || from === count).toBe(true)
          }
          const units = parts.map(({ from, to }) => Math.ceil((to - from) / unit))
          expect(Math.max(...units) - Math.min(...units)).toBeLessThanOrEqual(1)
        }
      }),
    )
  })
})

describe('views', () => {
  it('do not overlap, and lie within their memory', () => {
    const parameters = [
      ['means', 6],
      ['weights', 3],
    ] as const
    const memory = allocate('', { threads: 2, rows: 5, columns: 2, components: 3, statisticsLength: 27, parameters })
    const { parameters: snapshot, estimates, sums, totals, ...others } = viewsOf(memory)
    const all = [...[snapshot, estimates, others].flatMap(views => Object.values(views)), ...sums, ...totals]
    for (const [i, view] of all.entries()) view.fill(i)
    for (const [i, view] of all.entries()) expect(view.every(value => value === i)).toBe(true)
    expect(all.map(({ length }) => length)).toEqual([6, 3, 6, 3, 27, 4, 10, 5, 15, 5, 27, 2, 2])
    // A cache line belongs to one array.
    expect(all.every(({ byteOffset }) => byteOffset % 64 === 0)).toBe(true)
  })
})
