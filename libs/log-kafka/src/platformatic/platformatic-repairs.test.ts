import { Base, kPerformWithRetry, NetworkError, UserError } from '@platformatic/kafka'
import { afterAll, expect, it, vi } from 'vitest'
import { repairPlatformatic } from './platformatic-repairs.ts'

repairPlatformatic()
const client = new Base({ clientId: 'test', bootstrapBrokers: ['127.0.0.1:1'], retries: 5, retryDelay: 0 })
afterAll(() => client.close())

it.each([
  ['coordinates', new NetworkError('the broker is not available', { canRetry: true, hasStaleMetadata: true })],
  ['leads', new UserError('Cannot find broker with node id 2')],
])('a broker that %s something and is unknown makes the next attempt ask for the brokers anew', async (_, unknown) => {
  let known = false
  using cleared = vi.spyOn(client, 'clearMetadata').mockImplementation(() => {
    known = true
  })
  const outcome = await new Promise(resolve =>
    client[kPerformWithRetry](
      'ask',
      done => (known ? done(null, 'found') : done(unknown)),
      (error, found) => resolve(error ?? found),
    ),
  )
  expect(outcome).toBe('found')
  expect(cleared).toHaveBeenCalledTimes(1)
})

it('another failure is tried again with the brokers there are', async () => {
  using cleared = vi.spyOn(client, 'clearMetadata')
  const outcome = await new Promise(resolve =>
    client[kPerformWithRetry](
      'ask',
      done => done(new NetworkError('lost')),
      error => resolve(error),
    ),
  )
  expect(outcome).toMatchObject({ message: 'ask failed 6 times.' })
  expect(cleared).not.toHaveBeenCalled()
})
