import { PackedRecords } from '@eddy/log/adapter'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { joinSmall, newBatches } from './new-batches.ts'
import type { NewBatch } from './statements.ts'

const content = (batches: readonly NewBatch[]) =>
  batches.flatMap(({ base, payload }) => {
    const batch = new PackedRecords(base, payload)
    return Array.from({ length: batch.count }, (_, i) => {
      const { offset, timestamp, value } = batch.recordAt(i)
      return [offset, timestamp, value]
    })
  })

test('joined or not, the same records are at the same offsets, and the batches follow each other', () => {
  const publication = fc.array(fc.nat(100), { minLength: 1, maxLength: 100 })
  fc.assert(
    fc.property(fc.nat(1000), fc.array(publication, { minLength: 1, maxLength: 12 }), (base, publications) => {
      const batches: NewBatch[] = []
      let next = base
      for (const [n, sizes] of publications.entries()) {
        const records = sizes.map(size => ({
          key: null,
          value: new Uint8Array(size),
          ...(size % 2 && { timestamp: size }),
        }))
        batches.push(...newBatches(next, records, n))
        next += sizes.length
      }
      const joined = joinSmall(batches)
      expect(content(joined)).toEqual(content(batches))
      expect(joined.map(({ base }) => base)).toEqual([base, ...joined.slice(0, -1).map(batch => batch.next)])
      expect(joined.at(-1)!.next).toBe(next)
      for (const batch of joined)
        expect(batch.newest).toBe(Math.max(...content([batch]).map(([, timestamp]) => timestamp as number)))
      for (const [i, batch] of joined.entries())
        if (i > 0)
          expect(Math.max(batch.next - batch.base, joined[i - 1]!.next - joined[i - 1]!.base)).toBeGreaterThan(63)
    }),
  )
})

test('a batch ends at 4096 records and at about a mebibyte', () => {
  const records = Array.from({ length: 5000 }, () => ({ key: null, value: null }))
  expect(newBatches(0, records, 0).map(({ next }) => next)).toEqual([4096, 5000])
  const large = Array.from({ length: 5 }, () => ({ key: null, value: new Uint8Array(400_000) }))
  expect(newBatches(0, large, 0).map(({ next }) => next)).toEqual([2, 4, 5])
})
