import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { looksAt } from './looks-at.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

it('hangs one thing on a promise, however often it is looked at, and no timer when it has settled', async () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  const hung = vi.spyOn(promise, 'then')
  const look = looksAt(promise)
  for (let n = 0; n < 100; n++) {
    const looked = look(1000)
    await vi.advanceTimersByTimeAsync(1000)
    expect(await looked).toBeUndefined()
  }
  expect(hung).toHaveBeenCalledTimes(1)
  const last = look(1000)
  resolve('value')
  expect(await last).toBe('value')
  expect(vi.getTimerCount()).toBe(0)
  expect(await look(0)).toBe('value')
})

it('rejects as the promise does, and leaves nothing unhandled', async () => {
  const { promise, reject } = Promise.withResolvers<string>()
  const look = looksAt(promise)
  const looked = look(1000)
  reject(new Error('gone'))
  await expect(looked).rejects.toThrow('gone')
  await expect(look(1000)).rejects.toThrow('gone')
})
