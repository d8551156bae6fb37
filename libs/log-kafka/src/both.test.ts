import { expect, it } from 'vitest'
import { both } from './both.ts'
import { FencedError, RefusedError } from './driver.ts'

const same = (error: unknown) => error

it('waits for both halves, also when one has failed', async () => {
  const slow = Promise.withResolvers<string>()
  let over = false
  const outcome = both(Promise.reject(new RefusedError('too large')), slow.promise, same).catch(error => {
    over = true
    return error
  })
  await new Promise(resolve => setImmediate(resolve))
  expect(over).toBe(false)
  slow.resolve('done')
  expect(await outcome).toBeInstanceOf(RefusedError)
  expect(await both(Promise.resolve(1), Promise.resolve(2), same)).toEqual([1, 2])
})

it('of two failures throws the one after which the log may not go on, whichever came first', async () => {
  const refused = () => Promise.reject(new RefusedError('too large'))
  const fenced = () => Promise.reject(new Error('fenced'))
  const classify = (error: unknown) => ((error as Error).message === 'fenced' ? new FencedError('fenced') : error)
  await expect(both(refused(), fenced(), classify)).rejects.toBeInstanceOf(FencedError)
  await expect(both(fenced(), refused(), classify)).rejects.toBeInstanceOf(FencedError)
})
