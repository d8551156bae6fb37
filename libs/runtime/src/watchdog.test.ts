import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Health } from './health.ts'
import { whenStuck } from './watchdog.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

it('names what has made no progress for a minute, at the second look', async () => {
  const health = new Health(Date.now)
  health.progressed('scoring', 0, 10)
  health.progressed('ingest', 1, 0)
  const stuck = whenStuck(health)
  const told = vi.fn()
  stuck.promise.catch(told)
  await vi.advanceTimersByTimeAsync(65_000)
  expect(told).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(5000)
  expect(told.mock.calls.map(([error]) => (error as Error).message)).toEqual([
    'expected progress, got none for a minute in scoring/0; ending so that the supervisor starts again',
  ])
  stuck.cancel()
})

it('does not take a machine that was asleep for a stuck process', async () => {
  const health = new Health(Date.now)
  health.progressed('scoring', 0, 10)
  const stuck = whenStuck(health)
  const told = vi.fn()
  stuck.promise.catch(told)
  vi.setSystemTime(Date.now() + 8 * 3_600_000)
  await vi.advanceTimersByTimeAsync(5000)
  health.progressed('scoring', 0, 9)
  await vi.advanceTimersByTimeAsync(30_000)
  expect(told).not.toHaveBeenCalled()
  stuck.cancel()
})
