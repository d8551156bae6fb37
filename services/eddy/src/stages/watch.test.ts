import { createLogger, createMetrics, Health, loadConfiguration } from '@eddy/runtime'
import { configurationSchema } from '@eddy/settings'
import { expect, it, vi } from 'vitest'
import { Assignments } from './assignments.ts'
import type { Context } from './context.ts'
import { watch } from './watch.ts'

it('a partition that another process has been given is neither waited for nor reported', async () => {
  let time = 0
  const health = new Health(() => time)
  const metrics = createMetrics()
  const assignments = new Assignments()
  const stop = new AbortController()
  const log = {
    positions: async () => new Map(),
    offsets: async () => [0, 1].map(partition => ({ partition, start: 0, end: 10 })),
  }
  const configuration = loadConfiguration(configurationSchema, {
    flags: { 'log.kind': 'kafka', 'kafka.brokers': ['b:9092'] },
  })
  const logger = createLogger('silent')
  const signal = stop.signal
  const context = { assignments, configuration, health, log, logger, metrics, now: () => time, signal }
  const lags = (): Promise<string> => metrics.registry.getSingleMetricAsString('eddy_consumer_lag_records')

  assignments.of('scoring')([0, 1])
  const watching = watch(context as unknown as Context, ['scoring'], () => undefined)
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
