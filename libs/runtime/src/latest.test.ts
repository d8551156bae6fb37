import { expect, it } from 'vitest'
import { Latest } from './latest.ts'

it('waits for the first value, then has the newest at once', async () => {
  const latest = new Latest<number>()
  const first = latest.newest()
  expect(latest.value).toBeUndefined()
  latest.set(1)
  latest.set(2)
  expect(await first).toBe(2)
  latest.set(3)
  latest.end()
  expect([latest.value, await latest.newest()]).toEqual([3, 3])
})

it('ends without a value, or fails, for those who wait and those who come later', async () => {
  const ended = new Latest<number>()
  const waiting = ended.newest()
  ended.end()
  expect([await waiting, await ended.newest()]).toEqual([undefined, undefined])
  for (const before of [undefined, 1]) {
    const failed = new Latest<number>()
    if (before !== undefined) failed.set(before)
    failed.fail(new Error('gone'))
    await expect(failed.newest()).rejects.toThrow('gone')
  }
})
