import type { EventLog } from '@eddy/log'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createLogger } from './logger.ts'
import { type Process, type ProcessOptions, type Service, startProcess } from './process.ts'

const options: ProcessOptions = {
  // Services that need no model, and whose lag is not looked at, do not touch it.
  log: { capabilities: {} } as EventLog,
  logger: createLogger('silent'),
  topics: { events: 'events', features: 'features', statistics: 'statistics' },
  groupOf: stage => stage,
  snapshots: { topic: 'snapshots', model: 'test' },
  version: '0',
  now: () => Date.now(),
}

/** A service that runs until it is told how it ends. */
function service(part: Partial<Service> = {}) {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let process: Process | undefined
  const run = (given: Process): Promise<void> => {
    process = given
    return promise
  }
  const made: Service = { stages: [], needsModel: false, run, ...part }
  return { service: made, end: resolve, fail: reject, process: () => process! }
}

/** Whether it has resolved once everything that is due has happened. */
async function resolved(promise: Promise<unknown>): Promise<boolean> {
  let done = false
  promise.then(() => {
    done = true
  })
  for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve))
  return done
}

afterEach(() => {
  vi.useRealTimers()
})

describe('startProcess', () => {
  it('ends the input when it is stopped, and then waits for what is under way in each service', async () => {
    const [one, other] = [service(), service()]
    const running = await startProcess([one.service, other.service], options)
    expect(running.health.notReady).toBeUndefined()
    expect(one.process().signal.aborted).toBe(false)
    const stopped = running.stop()
    expect(await resolved(stopped)).toBe(false)
    expect(one.process().signal.aborted).toBe(true)
    expect(running.health.notReady).toBe('stopping')
    one.end()
    expect(await resolved(stopped)).toBe(false)
    other.end()
    await stopped
  })

  it('does not wait for the others when a service has failed', async () => {
    const [one, other] = [service(), service()]
    const running = await startProcess([one.service, other.service], options)
    one.fail(new Error('the input is gone'))
    await expect(running.failed).rejects.toThrow('the input is gone')
    await running.stop()
    other.end()
  })

  it('fails when a service is stuck, and ends without it', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] })
    const one = service()
    const running = await startProcess([one.service], { ...options, stalledAfterMs: 20_000 })
    running.health.progressed('scoring', 0, 10)
    const told = vi.fn()
    running.failed.catch(told)
    await vi.advanceTimersByTimeAsync(25_000)
    expect(told).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(5000)
    expect(told.mock.calls[0]![0].message).toMatch(/none for a minute in scoring\/0/)
    await running.stop()
    one.end()
  })

  it('answers what is in flight before it ends the input, and accepts nothing more', async () => {
    const answer = Promise.withResolvers<void>()
    const arrived = Promise.withResolvers<void>()
    const one = service({
      routes: server => {
        server.post('/v1/events', async () => {
          arrived.resolve()
          await answer.promise
          return { stored: 1 }
        })
      },
    })
    const http = {
      host: '127.0.0.1',
      port: 0,
      maxBodyBytes: 1024,
      maxBodiesBytes: 1 << 20,
      bodyTimeoutMs: 1000,
      maxConnections: 8,
    }
    const running = await startProcess([one.service], { ...options, http })
    const request = fetch(`http://127.0.0.1:${running.port}/v1/events`, { method: 'POST' })
    await arrived.promise
    const stopped = running.stop()
    expect(await resolved(stopped)).toBe(false)
    expect(one.process().signal.aborted).toBe(false)
    answer.resolve()
    const response = await request
    expect([response.headers.get('connection'), await response.json()]).toEqual(['close', { stored: 1 }])
    one.end()
    await stopped
    expect(one.process().signal.aborted).toBe(true)
    await expect(fetch(`http://127.0.0.1:${running.port}/livez`)).rejects.toThrow()
  })
})
