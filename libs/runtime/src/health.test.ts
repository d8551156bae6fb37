import { expect, it } from 'vitest'
import { Health } from './health.ts'

it('is not ready while nothing can be stored, and is tried again after a while', () => {
  let now = 0
  const health = new Health(() => now)
  health.ready()
  health.cannotStore('log: full')
  now = 14_999
  expect(health.notReady).toBe('log: full')
  now = 15_000
  expect(health.notReady).toBeUndefined()
  health.cannotStore('log: full')
  health.stored()
  expect(health.notReady).toBeUndefined()
  health.cannotStore('log: full')
  health.unready('stopping')
  expect(health.notReady).toBe('stopping')
})

it('a partition stalls after a minute with records to do, counted from when it had them or moved on last', () => {
  let now = 0
  const health = new Health(() => now)
  health.lagging('scoring', 0, 0)
  now = 100_000
  // Idle until now: the minute begins here.
  health.lagging('scoring', 0, 5)
  now = 160_000
  health.lagging('scoring', 0, 9)
  expect(health.stalled).toEqual([])
  // Looking again and again is no progress.
  now = 160_001
  health.lagging('scoring', 0, 9)
  expect(health.stalled).toEqual(['scoring/0'])
  health.progressed('scoring', 0, 8)
  expect(health.stalled).toEqual([])
  now = 220_002
  expect(health.stalled).toEqual(['scoring/0'])
  health.lagging('scoring', 0, 0)
  expect(health.stalled).toEqual([])
})

it('nothing stalls while the log does not answer, and then has its minute again', () => {
  let now = 0
  const health = new Health(() => now)
  health.lagging('scoring', 0, 5)
  now = 30_000
  health.unanswered()
  now = 600_000
  expect(health.stalled).toEqual([])
  health.answered()
  now = 660_000
  health.answered()
  expect(health.stalled).toEqual([])
  now = 660_001
  expect(health.stalled).toEqual(['scoring/0'])
})
