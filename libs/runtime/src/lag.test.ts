import { expect, it } from 'vitest'
import { committedPosition, lagOf, learnedPosition, totalLag } from './lag.ts'

const log = {
  offsets: async () => [100, 200, 300].map((end, partition) => ({ partition, start: 10, end })),
  positions: async (_topic: string, group: string) => new Map(group === 'scoring' ? [[0, 40] as const] : []),
}

it('is what lies beyond the position of a group, or beyond where it begins without one', async () => {
  const lags = await lagOf(log, 'features', await committedPosition(log, 'features', 'scoring', 150))
  expect(lags).toEqual([
    { partition: 0, position: 40, end: 100, lag: 60 },
    { partition: 1, position: 150, end: 200, lag: 50 },
    { partition: 2, position: 150, end: 300, lag: 150 },
  ])
  expect(totalLag(lags)).toBe(260)
  expect((await committedPosition(log, 'features', 'other'))(1)).toBe(0)
})

it('is never less than nothing: a position that was told later than the end may be beyond it', async () => {
  const lags = await lagOf(log, 'features', partition => (partition === 0 ? 120 : 200))
  expect(lags.map(({ lag }) => lag)).toEqual([0, 0, 100])
  expect(totalLag(lags)).toBe(100)
})

it('of learning is what lies beyond the ledger, also where nothing has been learned', () => {
  const position = learnedPosition({ ledger: [{ partition: 2, next: 250, events: 250n, offsetsHash: 1n }] })
  expect([position(1), position(2)]).toEqual([0, 250])
  expect(learnedPosition(undefined)(2)).toBe(0)
})
