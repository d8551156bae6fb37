import type { Snapshot } from '@eddy/messages'
import { expect, it, vi } from 'vitest'
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

it('a partition that another process has been given is neither waited for nor reported', async () => {
  let time = 0
  const health = new Health(() => time)
  const metrics = createMetrics()
  const assignments = new Assignments()
  const stop = new AbortController()
  const log = {
    capabilities,
    positions: async () => new Map(),
    offsets: async () => [0, 1].map(partition => ({ partition, start: 0, end: 10 })),
  }
  const logger = createLogger('silent')
  const signal = stop.signal
  const options: WatchOptions = {
    log,
    topics: { events: 'events', features: 'features', statistics: 'statistics' },
    groupOf: stage => stage,
    assignments,
    published: new Map(),
    snapshot: () => undefined,
    metrics,
    health,
    logger,
    signal,
    now: () => time,
  }
  const lags = (): Promise<string> => metrics.registry.getSingleMetricAsString('eddy_consumer_lag_records')

  assignments.of('scoring')([0, 1])
  const watching = watch(['scoring'], options)
  await vi.waitFor(async () => expect(await lags()).toMatch(/partition="0"\} 10/), { timeout: 5000 })
  for (const partition of [0, 1]) health.progressed('scoring', partition, 10)
  assignments.of('scoring')([1])
  await vi.waitFor(async () => expect(await lags()).not.toMatch(/partition="0"/), { timeout: 5000 })
  time = 61_000
  expect(health.stalled).toEqual(['scoring/1'])
  expect(await lags()).toMatch(/partition="1"\} 10/)
  stop.abort()
  await watching
})

it('feature vectors that may wait for a full mini-batch do not make the E-step late', async () => {
  let time = 0
  const health = new Health(() => time)
  const assignments = new Assignments()
  const stop = new AbortController()
  const metrics = createMetrics()
  const mayWait = vi.fn((vectors: number) => vectors < 64)
  const options: WatchOptions = {
    log: {
      capabilities,
      positions: async () => new Map(),
      offsets: async () => [60, 70].map((end, partition) => ({ partition, start: 0, end })),
    },
    topics: { events: 'events', features: 'features', statistics: 'statistics' },
    groupOf: stage => stage,
    assignments,
    published: new Map(),
    snapshot: () => ({ ledger: [] }) as unknown as Snapshot,
    mayWait,
    metrics,
    health,
    logger: createLogger('silent'),
    signal: stop.signal,
    now: () => time,
  }
  assignments.of('e-step')([0, 1])
  const watching = watch(['e-step'], options)
  await vi.waitFor(() => expect(mayWait).toHaveBeenCalledTimes(2))
  time = 61_000
  stop.abort()
  await watching
  expect(health.stalled).toEqual(['e-step/1'])
  expect((await metrics.lag.get()).values.map(({ value }) => value)).toEqual([60, 70])
})

it.each([
  ['waits for the updater, and does not make the E-step late', 0, ['e-step/1']],
  ['and dropped since is to be made again: the E-step is late', 100, ['e-step/0', 'e-step/1']],
])('a range whose statistics are published %s', async (_, start, stalled) => {
  let time = 0
  const health = new Health(() => time)
  const assignments = new Assignments()
  const stop = new AbortController()
  const metrics = createMetrics()
  const ledger = [0, 1].map(partition => ({ partition, next: 40, events: 40n, offsetsHash: 1n }))
  const options: WatchOptions = {
    log: {
      capabilities,
      positions: async () => new Map(),
      offsets: async topic =>
        [0, 1].map(partition => ({ partition, start: topic === 'statistics' ? start : 0, end: 100 })),
    },
    topics: { events: 'events', features: 'features', statistics: 'statistics' },
    groupOf: stage => stage,
    assignments,
    // Of partition 0 statistics beyond the ledger, of partition 1 only those that it has.
    published: new Map([
      [0, 41],
      [1, 40],
    ]),
    snapshot: () => ({ ledger, statisticsOffset: 9 }) as unknown as Snapshot,
    metrics,
    health,
    logger: createLogger('silent'),
    signal: stop.signal,
    now: () => time,
  }
  assignments.of('e-step')([0, 1])
  const watching = watch(['e-step'], options)
  const lags = async () => (await metrics.lag.get()).values.map(({ value }) => value)
  await vi.waitFor(async () => expect(await lags()).toEqual([60, 60]))
  time = 61_000
  stop.abort()
  await watching
  expect(health.stalled).toEqual(stalled)
})

it('until there is a model only ingest can be late; a provisional model says nothing of what was learned', async () => {
  let time = 0
  const provisional = { ledger: [], provisional: true, statisticsOffset: 0 } as unknown as Snapshot
  for (const snapshot of [undefined, provisional]) {
    time = 0
    const health = new Health(() => time)
    const assignments = new Assignments()
    const stop = new AbortController()
    const metrics = createMetrics()
    const options: WatchOptions = {
      log: {
        capabilities,
        positions: async () => new Map(),
        offsets: async () => [{ partition: 0, start: 0, end: 10 }],
      },
      topics: { events: 'events', features: 'features', statistics: 'statistics' },
      groupOf: stage => stage,
      assignments,
      published: new Map(),
      snapshot: () => snapshot,
      metrics,
      health,
      logger: createLogger('silent'),
      signal: stop.signal,
      now: () => time,
    }
    const stages = ['e-step', 'updater', 'scoring', 'ingest'] as const
    for (const stage of stages) assignments.of(stage)([0])
    const watching = watch(stages, options)
    const lags = async () => (await metrics.lag.get()).values.map(({ labels }) => labels.stage)
    // They are looked at in this order: the others have been when ingest is.
    await vi.waitFor(async () => expect(await lags()).toContain('ingest'))
    time = 61_000
    stop.abort()
    await watching
    expect(await lags()).toEqual(['scoring', 'ingest'])
    expect(health.stalled).toEqual(snapshot === undefined ? ['ingest/0'] : ['scoring/0', 'ingest/0'])
  }
})
