import { expect, it, onTestFinished, vi } from 'vitest'
import { Assignments } from './assignments.ts'
import { Health } from './health.ts'
import { createLogger } from './logger.ts'
import { createMetrics } from './metrics.ts'
import { type WatchOptions, watch } from './watch.ts'

const capabilities = {
  pipelined: false,
  ahead: false,
  erasure: undefined,
  memory: undefined,
  room: undefined,
  identity: undefined,
  upkeep: undefined,
}

// Vitest's clock does not move Node's own promises of a time.
vi.mock('node:timers/promises', () => ({
  setTimeout: (ms: number) => new Promise(resolve => globalThis.setTimeout(resolve, ms)),
}))

it.each(['fails', 'hangs'])(
  'a broker that is away (asking %s) makes no stage stuck: started again, it would wait as well',
  async how => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const health = new Health(Date.now)
    const assignments = new Assignments()
    const stop = new AbortController()
    const offsets = [{ partition: 0, start: 0, end: 10 }]
    const back = Promise.withResolvers<typeof offsets>()
    const ask = vi.fn(async () => offsets)
    const options: WatchOptions = {
      log: { capabilities, positions: async () => new Map(), offsets: () => ask() },
      topics: { events: 'events', features: 'features', statistics: 'statistics' },
      groupOf: stage => stage,
      assignments,
      published: new Map(),
      snapshot: () => undefined,
      metrics: createMetrics(),
      health,
      logger: createLogger('silent'),
      signal: stop.signal,
      now: Date.now,
    }
    assignments.of('ingest')([0])
    const watching = watch(['ingest'], options)
    await vi.advanceTimersByTimeAsync(30_000)
    ask.mockImplementation(how === 'hangs' ? () => back.promise : () => Promise.reject(new Error('no broker')))
    await vi.advanceTimersByTimeAsync(600_000)
    expect(health.stalled).toEqual([])
    ask.mockImplementation(async () => offsets)
    back.resolve(offsets)
    await vi.advanceTimersByTimeAsync(59_000)
    expect(health.stalled).toEqual([])
    await vi.advanceTimersByTimeAsync(3000)
    expect(health.stalled).toEqual(['ingest/0'])
    stop.abort()
    await vi.advanceTimersByTimeAsync(1000)
    await watching
  },
)
