import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { tellStandstill } from './tell-standstill.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

it('tells what does not move, once, and nothing of what moves or is done', async () => {
  const seen = ['a 9 behind', 'a 5 behind', 'a 5 behind', 'a 5 behind', 'a 3 behind', 'a 3 behind', '', '']
  const told: string[] = []
  const stop = tellStandstill(
    async () => [seen.shift()!].filter(line => line !== ''),
    lines => told.push(...lines),
    1000,
  )
  await vi.advanceTimersByTimeAsync(8000)
  stop()
  expect(seen).toEqual([])
  expect(told).toEqual(['a 5 behind', 'a 3 behind'])
})
