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
